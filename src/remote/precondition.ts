import { randomBytes } from 'node:crypto';
import { quoteAll } from '../lib/quote.ts';
import type { OpenOptions, RemoteChannel } from '../ssh/ssh-types.ts';
import { asRoot, shellArgv } from './command-line.ts';
import { disconnected } from './errors.ts';
import { PreconditionTimeout, preconditionRefused, unclaimed } from './precondition-errors.ts';
import { MAX_GREETING } from './protocol.ts';
import type { FileDigest, Precondition } from './remote-types.ts';
import { attributesOf, type ContainerAttributes } from './remote-types.ts';
import { SCRIPTS } from './scripts/index.ts';
import type { ChannelSource } from './shell.ts';

/** The guard gives up after two seconds of its own; that it says nothing for longer means that it can't go on. */
const ANSWER_MS = 5_000;
/** Loading pct takes 0.7 s, and as many times that as there are calls at once. */
const PCT_SECONDS = 15;
const PCT_ANSWER_MS = 20_000;
/** What sudo says is short. */
const STDERR_LIMIT = 2_000;

/**
 * The line of a call, with its guard in front. `exit` ends the login shell, so what follows is reached only when all holds.
 * @param claimant tells this call from another one that brings the same approval
 */
export function withPrecondition(
  line: string,
  guard: Precondition,
  nonce: string,
  claimant: string,
  sudo: boolean,
): string {
  const { attributes: facts, approvalId: claim } = guard;
  if (facts !== null && asksPct(guard)) {
    const args = [nonce, String(facts.vmid), facts.name, tagList(facts), String(PCT_SECONDS)];
    return `{ set -- ${quoteAll(args)}\n${SCRIPTS.pctPrecondition}}; ${line}`;
  }
  const about =
    facts === null
      ? ['', '', '', '', '']
      : [
          String(facts.vmid),
          `/etc/pve/nodes/${facts.node}/lxc/${facts.vmid}.conf`,
          facts.name,
          tagList(facts),
          facts.pool ?? '',
        ];
  const args = [nonce, ...about, claim ?? '', claim === null ? '' : claimant];
  if (sudo)
    return `${quoteAll(asRoot(shellArgv(SCRIPTS.precondition, args), true))} </dev/null || exit 96; ${line}`;
  // In the login shell itself: a shell of its own would double what the guard costs.
  return `{ set -- ${quoteAll(args)}\n${SCRIPTS.precondition}}; ${line}`;
}

/** The decision was made on what pct tells, as sudo rules allow nothing else. */
function asksPct({ attributes: facts }: Precondition): boolean {
  return facts !== null && facts.pool === undefined;
}

function tagList({ tags }: ContainerAttributes): string {
  return tags.map((tag) => `${tag} `).join('');
}

/** Where the command line of a call goes that is held to what it was decided on. The guard of one call, used once or more. */
export class PreconditionedChannels implements ChannelSource {
  readonly #channels: ChannelSource;
  readonly #guard: Precondition;
  readonly #sudo: boolean;
  readonly #onChanged: () => void;
  readonly #claimant = randomBytes(8).toString('hex');

  /** @param options `onChanged` is told when the container is no more what the call was decided on, or that can't be said */
  constructor(
    channels: ChannelSource,
    guard: Precondition,
    options: { readonly sudo: boolean; readonly onChanged: () => void },
  ) {
    this.#channels = channels;
    this.#guard = guard;
    this.#sudo = options.sudo;
    this.#onChanged = options.onChanged;
  }

  /**
   * Resolves when the guard has let the command pass. When the call is cancelled before that, nobody knows whether it will:
   * the channel is handed out for whoever ends commands to end this one.
   * @throws AppError TARGET_CHANGED, ATTRIBUTES_UNREADABLE, APPROVAL_USED, APPROVAL_UNCLAIMED: nothing was run; GuardSilent
   */
  async open(line: string, options: OpenOptions = {}): Promise<RemoteChannel> {
    const { byPct } = this;
    if (byPct && this.#guard.approvalId !== null) throw unclaimed('sudo allows no more than pct there', '');
    const nonce = randomBytes(16).toString('hex');
    const guarded = withPrecondition(line, this.#guard, nonce, this.#claimant, this.#sudo);
    const channel = await this.#channels.open(guarded, options);
    const limitMs = byPct ? PCT_ANSWER_MS : ANSWER_MS;
    const answer = await firstLine(channel, nonce, options.signal, limitMs);
    if (answer === `${nonce} ok` || answer === 'aborted') return channel;
    const stderr = collected(channel);
    channel.close();
    if (answer === 'timeout') throw new PreconditionTimeout(this.#guard);
    if (answer === 'closed' && (await channel.closed).reason === 'disconnected') {
      throw disconnected('the command was on its way');
    }
    const why = answer.startsWith(`${nonce} no `) ? answer.slice(nonce.length + 4) : 'mute';
    // Unread or mute, it may be that other sudo rules hold now than when it was read: the next call looks again.
    if (why !== 'used' && why !== 'unclaimable') this.#onChanged();
    throw preconditionRefused(why, this.#guard, stderr);
  }

  /** It asks pct, which takes its time. */
  get byPct(): boolean {
    return asksPct(this.#guard);
  }

  /** A command that it lets pass uses an approval up. */
  get claims(): boolean {
    return this.#guard.approvalId !== null;
  }

  /** The bytes that an upload must send, where somebody has agreed to just these. */
  get source(): FileDigest | null {
    return this.#guard.source;
  }

  /** For what has been read anyway. @throws AppError TARGET_CHANGED when it is not what the call was decided on */
  checked<T extends ContainerAttributes>(status: T): T {
    const { attributes: facts } = this.#guard;
    if (facts === null) return status;
    // Of a pool that nobody could tell, nothing is held.
    const now = { ...attributesOf(status), ...(facts.pool === undefined ? { pool: undefined } : {}) };
    if (JSON.stringify(attributesOf(facts)) === JSON.stringify(now)) return status;
    this.#onChanged();
    throw preconditionRefused('changed', this.#guard, '');
  }
}

/**
 * Takes the guard's line off stdout, with what a login shell that greets has printed before it, and leaves the rest as if
 * nobody had read it. More than a greeting is no answer: then nobody knows whether the guard has let the command pass.
 */
function firstLine(
  channel: RemoteChannel,
  nonce: string,
  signal: AbortSignal | undefined,
  limitMs: number,
): Promise<string | 'timeout' | 'aborted' | 'closed'> {
  const { stdout } = channel;
  return new Promise((resolve) => {
    let heard: Buffer = Buffer.alloc(0);
    const settle = (answer: string) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      stdout.off('readable', listen);
      stdout.off('end', onEnd);
      resolve(answer);
    };
    const onAbort = () => settle('aborted');
    const onEnd = () => settle('closed');
    const listen = () => {
      for (let chunk: Buffer | null = stdout.read(); chunk !== null; chunk = stdout.read()) {
        heard = Buffer.concat([heard, chunk]);
        const begin = heard.indexOf(nonce);
        const end = begin < 0 ? -1 : heard.indexOf(0x0a, begin);
        if (end >= 0) {
          const rest = heard.subarray(end + 1);
          if (rest.length > 0) stdout.unshift(rest);
          return settle(heard.toString('latin1', begin, end));
        }
        if (heard.length > MAX_GREETING) return settle('timeout');
      }
    };
    const timer = setTimeout(settle, limitMs, 'timeout');
    signal?.addEventListener('abort', onAbort, { once: true });
    stdout.on('readable', listen);
    stdout.on('end', onEnd);
    void channel.exited.then(() => setImmediate(onEnd));
    if (signal?.aborted) onAbort();
  });
}

function collected({ stderr }: RemoteChannel): string {
  const chunk: Buffer | null = stderr.read();
  return chunk === null ? '' : chunk.toString('utf8').slice(0, STDERR_LIMIT);
}
