import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { AppError, messageOf } from '../lib/errors.ts';
import { cancelled } from '../ssh/pool-errors.ts';
import { vmidOfCgroup } from './own-cgroup.ts';
import type { RemoteShell } from './remote-shell.ts';
import { SCRIPTS } from './scripts/index.ts';

/**
 * The location of this server as seen by the node. Empty and false: another machine, which includes virtual machines of the
 * node.
 */
export interface OwnLocation {
  /** Containers of the node in which a process of this server was found. */
  readonly vmids: ReadonlySet<number>;
  /** On the node itself, outside of all containers. */
  readonly onNode: boolean;
}

const LIMIT_MS = 5_000;
const NOWHERE: OwnLocation = { vmids: new Set(), onNode: false };

/**
 * Finds the location of this server: starts a child process with a random name and searches /proc of the node for it. Only the
 * kernel can report that name, because it is secret until the node is queried, and used once.
 * @throws AppError if the node cannot be reached; Error if the search fails
 */
export async function findOwnLocation(shell: RemoteShell, signal?: AbortSignal): Promise<OwnLocation> {
  // Only processes of the same kernel are in /proc of the node.
  if (process.platform !== 'linux') return NOWHERE;
  const word = randomBytes(16).toString('hex');
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    argv0: word,
    env: {},
    // The child exits at the end of its input, and so with the server.
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.on('error', () => {});
  try {
    await once(child, 'spawn');
    const output = await shell.script(SCRIPTS.ownContainer, [word], { timeoutMs: LIMIT_MS, signal });
    const complete = output.ended === 'exit' && output.items.some(([key]) => key === 'end');
    if (!complete) throw new Error(`the search in /proc of the node failed (${output.ended})`);
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error('the child process ended before the search');
    }
    const found = [...output.sections.values()].map(vmidOfCgroup);
    return {
      vmids: new Set(found.filter((vmid) => vmid !== null)),
      onNode: found.includes(null),
    };
  } finally {
    child.kill('SIGKILL');
  }
}

/** The location of this server, searched once per connection to the node. */
export class OwnLocationCache {
  readonly #shell: RemoteShell;
  readonly #generation: () => number | null;
  #known: { readonly generation: number | null; readonly location: OwnLocation } | undefined;
  #pending: Promise<OwnLocation> | undefined;

  /**
   * @param generation a number that changes with each reconnect, because the address may then belong to another node; null without
   * a connection
   */
  constructor(shell: RemoteShell, generation: () => number | null) {
    this.#shell = shell;
    this.#generation = generation;
  }

  /**
   * The location. If the search fails, the previous location, initially none: a failed search must not block all calls. The
   * next call searches again.
   * @throws AppError if the node cannot be reached; CANCELLED
   */
  async get(signal: AbortSignal): Promise<OwnLocation> {
    const generation = this.#generation();
    if (generation !== null && this.#known?.generation === generation) return this.#known.location;
    // Not aborted by the signal of one caller, because others may wait for the same search.
    this.#pending ??= this.#find().finally(() => {
      this.#pending = undefined;
    });
    return unlessAborted(this.#pending, signal);
  }

  async #find(): Promise<OwnLocation> {
    try {
      const location = await findOwnLocation(this.#shell);
      this.#known = { generation: this.#generation(), location };
      return location;
    } catch (error) {
      if (error instanceof AppError) throw error;
      this.#shell.logger.warn(
        { reason: messageOf(error) },
        'could not find out whether this server runs in a container of the node: calls are not refused for that',
      );
      return this.#known?.location ?? NOWHERE;
    }
  }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw cancelled();
  let onAbort = () => {};
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        onAbort = () => reject(cancelled());
        signal.addEventListener('abort', onAbort, { once: true });
      }),
    ]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
