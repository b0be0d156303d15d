import * as z from 'zod';
import { legacy, modern, openSession } from './requests.ts';
import { HttpServer } from './server.ts';

const toolResult = z.object({
  result: z.object({
    isError: z.boolean().default(false),
    structuredContent: z.record(z.string(), z.unknown()),
  }),
});
const toolList = z.object({ result: z.object({ tools: z.array(z.object({ name: z.string() })) }) });

/** A server process, and requests of a client of 2026-07-28 with any token. */
export class AuthServer {
  readonly #server: HttpServer;
  readonly origin: string;

  private constructor(server: HttpServer) {
    this.#server = server;
    this.origin = new URL(server.url).origin;
  }

  /** No token is set except those in `env`. */
  static async start(env: Readonly<Record<string, string>>): Promise<AuthServer> {
    return new AuthServer(await HttpServer.start({ env: { HTTP_TOKEN: '', ...env } }));
  }

  get stderr(): string {
    return this.#server.stderr;
  }

  /** Its working directory and home. */
  get dir(): string {
    return this.#server.dir;
  }

  /** A request for `/mcp`: the list of tools. */
  list(token?: string): Promise<Response> {
    return this.#post(token, 'tools/list', {});
  }

  async toolNames(token: string): Promise<string[]> {
    const { result } = toolList.parse(await messageOf(await this.list(token)));
    return result.tools.map(({ name }) => name.replace('proxmox_', ''));
  }

  call(token: string, tool: string, args: object = {}, signal?: AbortSignal): Promise<Response> {
    return this.#post(token, 'tools/call', { name: `proxmox_${tool}`, arguments: args }, signal);
  }

  async result(token: string, tool: string, args: object = {}) {
    const { result } = toolResult.parse(await messageOf(await this.call(token, tool, args)));
    return { isError: result.isError, data: result.structuredContent };
  }

  /** Opens a session as a client of 2025 does. @returns requests in that session, with any token */
  async session(
    token: string,
  ): Promise<(token: string, method: string, params: object) => Promise<Response>> {
    const url = `${this.origin}/mcp`;
    const { id } = await openSession(url, token);
    const within = { 'Mcp-Session-Id': id, 'MCP-Protocol-Version': '2025-11-25' };
    return (bearer, method, params) =>
      fetch(url, legacy({ id: 2, method, params }, { ...authorization(bearer), ...within }));
  }

  get(where: string, token?: string): Promise<Response> {
    return fetch(`${this.origin}${where}`, { headers: authorization(token) });
  }

  /** The value of a metric with these labels; 0 if it is absent. */
  async metric(token: string, name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const text = await (await this.get('/metrics', token)).text();
    const line = text.split('\n').find((each) => {
      if (each.replace(/[{ ].*/, '') !== name) return false;
      return Object.entries(labels).every(([label, value]) => each.includes(`${label}="${value}"`));
    });
    return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ')));
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }

  #post(
    token: string | undefined,
    method: string,
    params: Record<string, unknown>,
    signal?: AbortSignal,
  ): Promise<Response> {
    const { headers, ...request } = modern(method, params);
    const { Authorization: _, ...bare } = headers;
    return fetch(`${this.origin}/mcp`, {
      ...request,
      headers: { ...bare, ...authorization(token) },
      signal: signal ?? null,
    });
  }
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

/** The answer itself, sent alone or at the end of a stream. */
async function messageOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (response.status !== 200) throw new Error(`status ${response.status}: ${text}`);
  if (!response.headers.get('content-type')?.includes('event-stream')) return JSON.parse(text);
  const data = text.split('\n').filter((line) => line.startsWith('data: '));
  return JSON.parse(data.at(-1)?.slice(6) ?? 'null');
}
