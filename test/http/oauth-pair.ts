import { settingsWithoutNode } from '../mcp/fixtures.ts';
import { closedPort } from '../ports.ts';
import { AuthServer } from './auth-server.ts';
import { TestIssuer } from './issuer.ts';

/** An issuer, and a server that accepts its tokens. */
export class OAuthPair {
  readonly issuer: TestIssuer;
  readonly server: AuthServer;
  /** The audience of tokens: the server's `/mcp`. */
  readonly resource: string;

  private constructor(issuer: TestIssuer, server: AuthServer, resource: string) {
    this.issuer = issuer;
    this.server = server;
    this.resource = resource;
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<OAuthPair> {
    const issuer = await TestIssuer.start();
    const port = await closedPort();
    const resource = `http://127.0.0.1:${port}/mcp`;
    const server = await AuthServer.start({
      ...(await settingsWithoutNode()),
      SERVER_PORT: String(port),
      OAUTH_ISSUER: issuer.url,
      OAUTH_AUDIENCE: resource,
      ...env,
    });
    return new OAuthPair(issuer, server, resource);
  }

  /** The claims of a valid token; a test can then change one. */
  claims(): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.issuer.url,
      aud: this.resource,
      sub: 'alice',
      scope: 'proxmox:read',
      iat: now,
      exp: now + 300,
    };
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.issuer.stop();
  }
}

/** The challenge in an answer. */
export function challengeOf(response: Response): string {
  return response.headers.get('www-authenticate') ?? '';
}
