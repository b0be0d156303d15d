import { createServer, type Server, type Socket } from 'node:net';
import { AppError } from '../../src/lib/errors.ts';
import type { SshLogger } from '../../src/ssh/logger.ts';
import { SshPool, type SshPoolOptions } from '../../src/ssh/pool.ts';
import type { ChannelEnd, OpenOptions, RemoteChannel, SshTarget } from '../../src/ssh/ssh-types.ts';

export interface RecordingLogger extends SshLogger {
  readonly lines: string[];
  readonly warnings: string[];
}

export function recordingLogger(): RecordingLogger {
  const lines: string[] = [];
  const warnings: string[] = [];
  const note = (message: string) => void lines.push(message);
  return {
    lines,
    warnings,
    debug: note,
    info: note,
    warn(message) {
      note(message);
      warnings.push(message);
    },
  };
}

const pools = new Set<SshPool>();

/** A pool that {@link closePools} closes. */
export function makePool(target: SshTarget, options: Partial<SshPoolOptions> = {}): SshPool {
  const pool = new SshPool(target, { logger: recordingLogger(), ...options });
  pools.add(pool);
  return pool;
}

/** For `afterEach`. */
export async function closePools(): Promise<void> {
  await Promise.all([...pools].map((pool) => pool.close()));
  pools.clear();
}

export interface RunResult extends ChannelEnd {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command with empty stdin to its end. */
export async function run(pool: SshPool, command: string, options?: OpenOptions): Promise<RunResult> {
  const channel = await pool.open(command, options);
  let stdout = '';
  let stderr = '';
  channel.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  channel.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  channel.stdin.end();
  return { ...(await channel.closed), stdout, stderr };
}

/** The AppError that `promise` rejects with. */
export async function failure(promise: Promise<unknown>): Promise<AppError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** The sshd process that serves the connection on which a command runs: the parent of the command's shell. */
export async function connectionPid(pool: SshPool): Promise<number> {
  return Number((await run(pool, 'echo $PPID')).stdout);
}

/** Opens channels whose commands run until their stdin ends. */
export function hold(pool: SshPool, count: number): Promise<RemoteChannel[]> {
  return Promise.all(Array.from({ length: count }, () => pool.open('cat')));
}

/** Ends the channels of {@link hold}. */
export async function release(channels: readonly RemoteChannel[]): Promise<void> {
  for (const channel of channels) {
    channel.stdout.resume();
    channel.stderr.resume();
    channel.stdin.end();
  }
  await Promise.all(channels.map((channel) => channel.closed));
}

/** A server in this process on its own port, which handles each connection with `serve`. */
export async function listen(serve: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : 0 };
}
