import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import Provider from 'oidc-provider';
import * as z from 'zod';

export const CLIENT = { id: 'assistant', secret: 'a-secret-of-the-test-client' };
const SCOPES = 'proxmox:read proxmox:write proxmox:host';

const tokenShape = z.object({ access_token: z.string(), token_type: z.literal('Bearer') });

interface SigningKey {
  readonly kid: string;
  readonly jwk: JWK;
  readonly privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
  readonly publicJwk: JWK;
}

/** A real OpenID provider on loopback, with access to its keys. */
export class TestIssuer {
  readonly url: string;
  readonly #server: Server;
  #listener: RequestListener = (_request, response) => response.writeHead(503).end();
  #key: SigningKey | undefined;
  /** Requests for discovery documents and keys, by path. */
  readonly requests: string[] = [];

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}`;
    server.on('request', (request, response) => {
      this.requests.push(request.url ?? '');
      this.#listener(request, response);
    });
  }

  static async start(): Promise<TestIssuer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const issuer = new TestIssuer(server, typeof address === 'object' && address !== null ? address.port : 0);
    await issuer.rotate('first');
    return issuer;
  }

  /** Signs with a new key from now on, and publishes no other. */
  async rotate(kid: string): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' };
    this.#key = { kid, jwk, privateKey, publicJwk: await exportJWK(publicKey) };
    const provider = new Provider(this.url, {
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
          scope: SCOPES,
        },
      ],
      scopes: SCOPES.split(' '),
      jwks: { keys: [jwk] },
      ttl: { ClientCredentials: 600 },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_ctx, audience) => ({
            scope: SCOPES,
            audience,
            accessTokenFormat: 'jwt',
            accessTokenTTL: 600,
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
    });
    // It warns about plain http, which is intended on loopback.
    provider.on('server_error', (_ctx, error) => console.error(error));
    const handle = provider.callback();
    this.#listener = (request, response) => void handle(request, response);
  }

  /** Answers every request with an error from now on. */
  fail(): void {
    this.#listener = (_request, response) => response.writeHead(500).end();
  }

  /** A token as a client gets it: with its credentials, for a resource. */
  async grant(resource: string, scope: string): Promise<string> {
    const response = await fetch(`${this.url}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope }),
    });
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`no token: ${JSON.stringify(body)}`);
    return tokenShape.parse(body).access_token;
  }

  /** A token with these claims, signed with the issuer's own key, so that only the claims can be wrong. */
  async sign(claims: Record<string, unknown>, header: { kid?: string; typ?: string } = {}): Promise<string> {
    const { kid, privateKey } = this.#signingKey();
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, ...header }).sign(privateKey);
  }

  get publicJwk(): JWK {
    return this.#signingKey().publicJwk;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #signingKey(): SigningKey {
    if (this.#key === undefined) throw new Error('not started');
    return this.#key;
  }
}
