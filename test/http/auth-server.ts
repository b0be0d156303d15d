import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { serverCommand } from '../mcp/client.ts';
import { closedPort } from '../mcp/fixtures.ts';
import { until } from '../rig/until.ts';

const toolResult = z.object({
  result: z.object({
    isError: z.boolean().default(false),
    structuredContent: z.record(z.string(), z.unknown()),
  }),
});
const toolList = z.object({ result: z.object({ tools: z.array(z.object({ name: z.string() })) }) });

/** A server process that listens on loopback, and requests to it as a client of 2026-07-28 would send them, but for the token. */
export class AuthServer {
  readonly #child: ChildProcess;
  readonly origin: string;
  readonly dir: string;
  #stderr = '';

  private constructor(child: ChildProcess, port: number, dir: string) {
    this.#child = child;
    this.origin = `http://127.0.0.1:${port}`;
    this.dir = dir;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
  }

  /** @param options.port, dir of an earlier start */
  static async start(
    env: Readonly<Record<string, string>>,
    options: { readonly port?: number; readonly dir?: string } = {},
  ): Promise<AuthServer> {
    const port = options.port ?? (await closedPort());
    const dir = options.dir ?? (await mkdtemp(path.join(tmpdir(), 'http-auth-')));
    const { command, args } = serverCommand();
    const { PATH = '' } = process.env;
    const child = spawn(command, args, {
      cwd: dir,
      env: {
        PATH,
        HOME: dir,
        STATE_DIR: path.join(dir, 'state'),
        SERVER_HTTP: 'true',
        SERVER_PORT: String(port),
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const server = new AuthServer(child, port, dir);
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`the server did not start: ${server.stderr}`);
      return fetch(`${server.origin}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    }, 15_000);
    return server;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** A request for `/mcp`: the list of tools. */
  list(token?: string): Promise<Response> {
    return this.#post(token, 'tools/list', {});
  }

  async toolNames(token: string): Promise<string[]> {
    const { result } = toolList.parse(await messageOf(await this.list(token)));
    return result.tools.map(({ name }) => name.replace('proxmox_', ''));
  }

  call(token: string, tool: string, args: object = {}): Promise<Response> {
    return this.#post(token, 'tools/call', { name: `proxmox_${tool}`, arguments: args }, `proxmox_${tool}`);
  }

  async result(token: string, tool: string, args: object = {}) {
    const { result } = toolResult.parse(await messageOf(await this.call(token, tool, args)));
    return { isError: result.isError, data: result.structuredContent };
  }

  /** Opens a session as a client of 2025 does. @returns requests in that session, with any token */
  async session(
    token: string,
  ): Promise<(token: string, method: string, params: object) => Promise<Response>> {
    const post = (bearer: string, message: object, more: Record<string, string> = {}) =>
      fetch(`${this.origin}/mcp`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...authorization(bearer),
          ...more,
        },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      });
    const clientInfo = { name: 'test', version: '1' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    const opened = await post(token, { id: 1, method: 'initialize', params });
    const id = opened.headers.get('mcp-session-id');
    if (id === null) throw new Error(`no session: ${await opened.text()}`);
    const within = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' };
    await post(token, { method: 'notifications/initialized' }, within);
    return (bearer, method, more) => post(bearer, { id: 2, method, params: more }, within);
  }

  get(where: string, token?: string): Promise<Response> {
    return fetch(`${this.origin}${where}`, { headers: authorization(token) });
  }

  /** The value of a metric with these labels; 0 when it is not there. */
  async metric(token: string, name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const text = await (await this.get('/metrics', token)).text();
    const line = text.split('\n').find((each) => {
      if (each.replace(/[{ ].*/, '') !== name) return false;
      return Object.entries(labels).every(([label, value]) => each.includes(`${label}="${value}"`));
    });
    return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ')));
  }

  /** Ends the process; its files stay for a later start. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }

  async stop(): Promise<void> {
    await this.end();
    await rm(this.dir, { recursive: true, force: true });
  }

  #post(token: string | undefined, method: string, params: object, name?: string): Promise<Response> {
    const prefix = 'io.modelcontextprotocol/';
    const _meta = {
      [`${prefix}protocolVersion`]: '2026-07-28',
      [`${prefix}clientInfo`]: { name: 'test', version: '1' },
      [`${prefix}clientCapabilities`]: {},
    };
    return fetch(`${this.origin}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...(name === undefined ? {} : { 'mcp-name': name }),
        ...authorization(token),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
    });
  }
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** The answer itself, whether it comes alone or at the end of a stream. */
async function messageOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (response.status !== 200) throw new Error(`status ${response.status}: ${text}`);
  if (!response.headers.get('content-type')?.includes('event-stream')) return JSON.parse(text);
  const data = text.split('\n').filter((line) => line.startsWith('data: '));
  return JSON.parse(data.at(-1)?.slice(6) ?? 'null');
}
