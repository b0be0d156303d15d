import { firstOf } from '../lib/waits.ts';
import type { RemoteChannel } from '../ssh/ssh-types.ts';
import type { ActivePrecondition } from './precondition.ts';
import { disconnected, nodeSilent } from './remote-errors.ts';
import { type NodeOutput, OUTPUT_LIMIT, type ScriptOutput, ScriptRun, untilSilent } from './script-run.ts';
import type { Session } from './session.ts';
import { cannotFork, nodeFull } from './session-errors.ts';
import { type ChannelSource, SessionPool, type SessionPoolOptions } from './session-pool.ts';
import { commandRequest, newNonce } from './session-requests.ts';
import { unlessSilent } from './silence.ts';
import { StartClaims } from './start-claims.ts';
import { passStarted } from './started.ts';

export type { ChannelSource, NodeOutput, ScriptOutput };

export interface NodeLogger {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface NodeRunOptions {
  /** From the moment when the node is logged in to. */
  readonly timeoutMs: number;
  /** For scripts: the longest time without output after the start. */
  readonly silenceMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Default: `control`. */
  readonly priority?: 'work' | 'control';
  readonly precondition?: ActivePrecondition | null | undefined;
  /** The script reads the cluster file system, which may hang. Only one session then waits for it, not one per call. */
  readonly readsPmxcfs?: boolean;
  /** The script must not run twice. Other scripts are sent again if the connection is lost before they have started. */
  readonly once?: boolean;
  /** Called when the command has started. */
  readonly onStart?: () => void;
  /** Called with all stderr so far, whenever more arrives. */
  readonly onStderr?: (soFar: string) => void;
}

/** The kinds of reads from the cluster file system. Each may hang separately. */
export type PmxcfsReading = 'inventory' | 'configuration';

/** How long, in ms, a node that has stopped answering may take to accept a new connection. */
const RECONNECT_LIMIT_MS = 4_000;

/** The node that the server is connected to. Runs our own scripts and Proxmox commands there, with `sudo -n` if configured. */
export class RemoteShell {
  readonly sessions: SessionPool;
  readonly logger: NodeLogger;
  readonly sudo: boolean;
  readonly claims = new StartClaims(this);
  /** Reads that have not finished in time: of the whole inventory, and of one configuration before a call. */
  readonly #hung = new Map<PmxcfsReading, Promise<unknown>>();

  constructor(source: ChannelSource, options: SessionPoolOptions & { readonly logger: NodeLogger }) {
    this.sessions = new SessionPool(source, options);
    this.sudo = options.sudo;
    this.logger = options.logger;
  }

  /**
   * Runs one of our host-side scripts in a reusable session. Sends it again if the connection is lost before it has started.
   * @throws AppError if the node cannot be reached, or the precondition fails
   */
  async script(script: string, args: readonly string[], options: NodeRunOptions): Promise<ScriptOutput> {
    const { signal, timeoutMs, silenceMs, precondition = null, priority = 'control', once = false } = options;
    const asked = performance.now();
    const readsPmxcfs = options.readsPmxcfs === true || precondition?.readsPmxcfs === true;
    if (readsPmxcfs && !(await this.pmxcfsAnswers('inventory', silenceMs ?? timeoutMs, signal))) {
      return { ...NOTHING, ended: signal?.aborted ? 'cancelled' : 'timeout' };
    }
    const leftMs = timeoutMs - (performance.now() - asked);
    let silent = false;
    for (let attempt = 1; ; attempt++) {
      // The login has limits of its own: a slow one says nothing about the script.
      const session = await this.#takeReusable(signal, priority, silent);
      const claim = newNonce();
      const run = new ScriptRun(session, precondition, once ? this.claims.claim(claim) : '');
      // After a timeout the script continues; its session can be reused only after the script has ended.
      const over = run.start(script, args).finally(() => this.#return(session, run));
      over.catch(() => {});
      const { connection } = session.channel;
      const work = untilSilent(over, run, { leftMs: Math.max(0, leftMs), silenceMs }, signal);
      const answered = await unlessSilent(connection, work);
      silent = answered === 'silent';
      if (silent) connection.distrust();
      const outcome = answered === 'silent' ? run.lost() : answered;
      if (outcome === 'timeout' && readsPmxcfs) this.noteHung('inventory', over);
      if (typeof outcome === 'string') return { ...run.output(), code: null, ended: outcome };
      if (outcome.code !== 0 && cannotFork(outcome.stderr) && !(once && outcome.responded)) throw nodeFull();
      const first = run.firstFrame(outcome);
      if (
        once ? !(await this.claims.mayRepeat(first, claim, session, signal)) : first.kind !== 'disconnected'
      ) {
        return outcome;
      }
      if (attempt > 1) return outcome;
    }
  }

  /** @param silent whether the node has stopped answering, so that it must be quick to accept a new connection */
  async #takeReusable(
    signal: AbortSignal | undefined,
    priority: 'work' | 'control',
    silent: boolean,
  ): Promise<Session> {
    const options = { priority, reuse: true } as const;
    if (!silent) return this.sessions.take({ ...options, signal });
    const limit = AbortSignal.timeout(RECONNECT_LIMIT_MS);
    const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    return this.sessions.take({ ...options, signal: either }).catch((error: unknown) => {
      throw limit.aborted && signal?.aborted !== true ? nodeSilent() : error;
    });
  }

  /**
   * Runs a command of Proxmox or LXC in its own session, with English messages.
   * @throws AppError if the node cannot be reached, or the precondition fails
   */
  async command(argv: readonly string[], options: NodeRunOptions): Promise<NodeOutput> {
    const { signal, precondition = null, priority = 'control', timeoutMs } = options;
    for (let attempt = 1; ; attempt++) {
      const session = await this.sessions.take({ signal, priority });
      const { channel } = session;
      const nonce = newNonce();
      const claim = newNonce();
      session.send(commandRequest(nonce, argv, this.claims.claim(claim) + (precondition?.check() ?? '')));
      channel.stdin.end();
      const first = await passStarted(channel, nonce, timeoutMs, signal);
      if (first.kind === 'started') {
        this.claims.confirmed(claim);
        options.onStart?.();
        return collect(channel, options);
      }
      session.close();
      if (attempt < 3 && (await this.claims.mayRepeat(first, claim, session, signal))) continue;
      if (first.kind === 'refused' && precondition !== null) throw precondition.refused(first.why);
      const ended =
        first.kind === 'aborted' ? 'cancelled' : first.kind === 'timeout' ? 'timeout' : 'disconnected';
      return { stdout: '', stderr: '', code: null, ended };
    }
  }

  /** One round trip that changes nothing; with a precondition, only checks it. @throws AppError */
  async touch(options: NodeRunOptions): Promise<void> {
    const { ended } = await this.script(':', [], options);
    if (ended !== 'exit') throw disconnected('checking whether the node responds');
  }

  /** Whether the cluster file system responds, as far as known. Waits for an unfinished read, if there is one. */
  async pmxcfsAnswers(reading: PmxcfsReading, withinMs: number, signal?: AbortSignal): Promise<boolean> {
    const hung = this.#hung.get(reading);
    return hung === undefined || typeof (await firstOf(hung, withinMs, signal)) !== 'string';
  }

  /** @param answer settles when the hanging read has ended */
  noteHung(reading: PmxcfsReading, answer: Promise<unknown>): void {
    const hung = answer.then(
      () => true,
      () => true,
    );
    this.#hung.set(reading, hung);
    void hung.then(() => {
      if (this.#hung.get(reading) === hung) this.#hung.delete(reading);
    });
  }

  close(): void {
    this.sessions.close();
  }

  #return(session: Session, run: ScriptRun): void {
    this.sessions.giveBack(session, run.complete);
  }
}

const NOTHING = {
  stdout: '',
  stderr: '',
  code: null,
  items: [],
  sections: new Map<string, string>(),
  responded: true,
  bytes: new Map<string, Buffer>(),
} as const;
async function collect(channel: RemoteChannel, options: NodeRunOptions): Promise<NodeOutput> {
  const stdout = collectText(channel.stdout);
  const stderr = collectText(channel.stderr);
  if (options.onStderr) channel.stderr.on('data', () => options.onStderr?.(stderr()));
  const outcome = await firstOf(channel.closed, options.timeoutMs, options.signal);
  if (typeof outcome === 'string') channel.close();
  const ended = typeof outcome === 'string' ? outcome : outcome.reason === 'closed' ? 'exit' : 'disconnected';
  return {
    stdout: stdout(),
    stderr: stderr(),
    code: typeof outcome === 'string' ? null : outcome.code,
    ended,
  };
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
