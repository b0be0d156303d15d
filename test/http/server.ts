import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serverCommand } from '../mcp/client.ts';
import { until } from '../rig/until.ts';

export interface ServerOptions {
  /** Settings; nothing else is inherited except PATH. */
  readonly env: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** The token of test servers unless a test sets another. */
export const TOKEN = 'a-token-of-the-tests-0123456789abcdefghij';

/** A real server process that serves over HTTP on a free port of loopback, in its own empty directory. */
export class HttpServer {
  readonly child: ChildProcess;
  readonly dir: string;
  /** The exit code, or null when it was killed. */
  readonly exited: Promise<number | null>;
  stderr = '';

  private constructor(options: ServerOptions, dir: string) {
    this.dir = dir;
    const { command, args } = serverCommand(['--http', ...(options.args ?? [])]);
    this.child = spawn(command, args, {
      cwd: dir,
      env: {
        PATH: process.env.PATH,
        HOME: dir,
        STATE_DIR: path.join(dir, 'state'),
        HTTP_TOKEN: TOKEN,
        SERVER_PORT: '0',
        ...options.env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('utf8');
    });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code) => resolve(code));
    });
  }

  /** Resolves when it listens or has failed to start. An empty setting counts as unset. */
  static async start(options: ServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options, await mkdtemp(path.join(tmpdir(), 'mcp-http-')));
    let ended = false;
    void server.exited.then(() => {
      ended = true;
    });
    await until(() => ended || server.#listening() !== undefined);
    return server;
  }

  /** The URL of /mcp. */
  get url(): string {
    const url = this.#listening();
    if (url === undefined) throw new Error(`the server does not listen: ${this.stderr}`);
    return url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** The address of another path. */
  at(pathname: string): string {
    return new URL(pathname, this.url).href;
  }

  /** Stops it, and resolves with its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    const code = await this.exited;
    await rm(this.dir, { recursive: true, force: true });
    return code;
  }

  #listening(): string | undefined {
    return /MCP is at (\S+)\n/.exec(this.stderr)?.[1];
  }
}
