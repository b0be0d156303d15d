import type { ChannelEnd, OpenOptions, RemoteChannel } from '../ssh/ssh-types.ts';
import { nodeCommandLine, nodeScriptLine } from './command-line.ts';

/** What the layers above need of the SSH pool. */
export interface ChannelSource {
  open(command: string, options?: OpenOptions): Promise<RemoteChannel>;
}

export interface NodeLogger {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** The end of one of our own commands on the node. */
export interface NodeOutput {
  readonly stdout: string;
  readonly stderr: string;
  /** null: it did not report one (lost connection, time limit, killed by a signal). */
  readonly code: number | null;
  readonly ended: 'exit' | 'timeout' | 'cancelled' | 'disconnected';
}

export interface NodeRunOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly priority?: OpenOptions['priority'];
  readonly stdin?: string;
  /** Told when the command has been let go. */
  readonly onStart?: () => void;
  /** Told all of stderr that has come so far, whenever there is more. */
  readonly onStderr?: (soFar: string) => void;
}

/** Our own commands print little; past this something is wrong, and memory is not the place to find out. */
const OUTPUT_LIMIT = 32 * 1024 * 1024;

/** The node that we log in to: runs our own scripts and Proxmox's commands there, with `sudo -n` where needed. */
export class RemoteShell {
  readonly channels: ChannelSource;
  readonly sudo: boolean;
  readonly logger: NodeLogger;

  constructor(channels: ChannelSource, options: { sudo: boolean; logger: NodeLogger }) {
    this.channels = channels;
    this.sudo = options.sudo;
    this.logger = options.logger;
  }

  /** Runs one of our scripts as root. Throws AppError only where the node can't be reached. */
  script(script: string, args: readonly string[], options: NodeRunOptions): Promise<NodeOutput> {
    return this.run(nodeScriptLine(script, args, this.sudo), options);
  }

  /** Runs a command of Proxmox or LXC as root, in English. */
  command(argv: readonly string[], options: NodeRunOptions): Promise<NodeOutput> {
    return this.run(nodeCommandLine(argv, this.sudo), options);
  }

  /** The trimmed output of a quick command that needs no rights, so that no sudo rule is asked. */
  async ask(argv: readonly string[]): Promise<string> {
    return (await this.run(nodeCommandLine(argv, false), { timeoutMs: 5_000 })).stdout.trim();
  }

  /** Runs a whole line for sshd's login shell; whoever makes it has quoted what is in it. */
  async run(line: string, options: NodeRunOptions): Promise<NodeOutput> {
    const { signal, priority = 'control' } = options;
    const channel = await this.channels.open(line, {
      priority,
      noInput: options.stdin === undefined,
      ...(signal === undefined ? {} : { signal }),
    });
    options.onStart?.();
    const stdout = collectText(channel.stdout);
    const stderr = collectText(channel.stderr);
    if (options.onStderr) channel.stderr.on('data', () => options.onStderr?.(stderr()));
    channel.stdin.end(options.stdin ?? '');
    const outcome = await firstOf(channel.closed, options.timeoutMs, signal);
    if (typeof outcome === 'string') channel.close();
    const ended =
      typeof outcome === 'string' ? outcome : outcome.reason === 'closed' ? 'exit' : 'disconnected';
    return {
      stdout: stdout(),
      stderr: stderr(),
      code: typeof outcome === 'string' ? null : outcome.code,
      ended,
    };
  }
}

function collectText(stream: RemoteChannel['stdout']): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= OUTPUT_LIMIT) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

/** The first reason to stop waiting wins. Leaves no timer and no listener behind. */
export async function firstOf(
  closed: Promise<ChannelEnd>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<ChannelEnd | 'timeout' | 'cancelled'> {
  if (signal?.aborted) return 'cancelled';
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await Promise.race([
      closed,
      new Promise<'timeout'>((resolve) => {
        timer = setTimeout(resolve, timeoutMs, 'timeout');
      }),
      new Promise<'cancelled'>((resolve) => {
        onAbort = () => resolve('cancelled');
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
    ]);
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
