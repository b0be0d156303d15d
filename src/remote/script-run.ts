import { firstOf } from '../lib/waits.ts';
import type { ActivePrecondition } from './precondition.ts';
import { FrameReader } from './protocol.ts';
import type { Session } from './session.ts';
import { newNonce, scriptRequest } from './session-requests.ts';
import type { FirstFrame } from './started.ts';

/** The result of one of our own commands or scripts on the node. */
export interface NodeOutput {
  readonly stdout: string;
  readonly stderr: string;
  /** null: not reported (lost connection, timeout, killed by a signal). */
  readonly code: number | null;
  readonly ended: 'exit' | 'timeout' | 'cancelled' | 'disconnected';
}

/** The output of a host-side script. */
export interface ScriptOutput extends NodeOutput {
  /** `NONCE item KEY VALUE` lines, in order. */
  readonly items: readonly (readonly [key: string, value: string])[];
  /** Text that follows `NONCE section NAME`, by name. */
  readonly sections: ReadonlyMap<string, string>;
  /** The same as bytes, which need not be text. */
  readonly bytes: ReadonlyMap<string, Buffer>;
  /** Whether the node has begun to work on it; if not, the node itself does not respond. */
  readonly responded: boolean;
}

/** Maximum output of our own commands, which normally print little. */
export const OUTPUT_LIMIT = 32 * 1024 * 1024;

const WORDS = ['checking', 'started', 'refused', 'section', 'item', 'exited'];

/** One host-side script in a session: from its request to its `exited`. */
export class ScriptRun {
  readonly #session: Session;
  readonly #precondition: ActivePrecondition | null;
  readonly #claim: string;
  readonly #nonce = newNonce();
  readonly #items: (readonly [string, string])[] = [];
  readonly #texts = new Map<string, Buffer[]>([['', []]]);
  readonly #stderr: Buffer[] = [];
  #section = '';
  #size = 0;
  #started = false;
  #responded = false;
  #refused: string | undefined;
  #code: number | undefined;
  #errEnded = false;
  /** When output arrived last; null before the node responded. */
  heardAt: number | null = null;
  /** Whether the script has ended on both streams. */
  complete = false;

  /** @param claim shell text of its claim, or empty */
  constructor(session: Session, precondition: ActivePrecondition | null, claim: string) {
    this.#session = session;
    this.#precondition = precondition;
    this.#claim = claim;
  }

  /** Sends the script. @throws AppError if the precondition fails */
  start(script: string, args: readonly string[]): Promise<ScriptOutput> {
    const { stdout, stderr } = this.#session.channel;
    const outReader = new FrameReader(this.#nonce, WORDS);
    const errReader = new FrameReader(this.#nonce, WORDS);
    return new Promise<ScriptOutput>((resolve, reject) => {
      const finish = (ended: 'exit' | 'disconnected') => {
        stopWatching();
        stdout.off('data', onOut).pause();
        stderr.off('data', onErr).pause();
        if (this.#refused !== undefined && this.#refused !== 'unclaimed' && this.#precondition !== null) {
          reject(this.#precondition.refused(this.#refused));
        } else {
          const code = this.#code ?? null;
          resolve({ ...this.output(), code, ended: code === null ? 'disconnected' : ended });
        }
      };
      const check = () => {
        if (this.#code === undefined || !this.#errEnded || this.complete) return;
        this.complete = true;
        finish('exit');
      };
      const onOut = (chunk: Buffer) => {
        if (this.#responded) this.heardAt = performance.now();
        for (const frame of outReader.push(chunk)) {
          if (frame.kind === 'text') this.#text(frame.bytes);
          else if (frame.kind === 'frame') this.#frame(frame.word, frame.fields);
        }
        check();
      };
      const onErr = (chunk: Buffer) => {
        for (const frame of errReader.push(chunk)) {
          if (frame.kind === 'text' && this.#stderr.length < 1000) this.#stderr.push(frame.bytes);
          else if (frame.kind === 'frame' && frame.word === 'started') this.#stderr.length = 0;
          else if (frame.kind === 'frame' && frame.word === 'exited') this.#errEnded = true;
        }
        check();
      };
      const stopWatching = this.#session.onClose(() => {
        if (!this.complete) finish('disconnected');
      });
      stdout.on('data', onOut).resume();
      stderr.on('data', onErr).resume();
      const condition = this.#precondition?.check() ?? '';
      this.#session.send(scriptRequest(this.#nonce, script, args, this.#claim + condition));
    });
  }

  /** How the request began, after its end. */
  firstFrame({ ended, responded }: ScriptOutput): FirstFrame {
    if (this.#refused !== undefined) return { kind: 'refused', why: this.#refused };
    return ended === 'disconnected' && !responded ? { kind: 'disconnected' } : { kind: 'started' };
  }

  /** The output of a script whose node has stopped answering. */
  lost(): ScriptOutput {
    return { ...this.output(), code: null, ended: 'disconnected' };
  }

  /** The output so far. */
  output(): Omit<ScriptOutput, 'code' | 'ended'> {
    const bytes = new Map([...this.#texts].map(([name, chunks]) => [name, Buffer.concat(chunks)]));
    const sections = new Map([...bytes].map(([name, content]) => [name, content.toString('utf8')]));
    const stdout = sections.get('') ?? '';
    sections.delete('');
    const stderr = Buffer.concat(this.#stderr).toString('utf8');
    return { stdout, stderr, items: this.#items, sections, bytes, responded: this.#responded };
  }

  #text(bytes: Buffer): void {
    this.#size += bytes.length;
    // Output before `started` comes from the login.
    if (this.#started && this.#size <= OUTPUT_LIMIT) this.#texts.get(this.#section)?.push(bytes);
  }

  #frame(word: string, [first = '', ...rest]: readonly string[]): void {
    if (word === 'checking' || word === 'started') {
      this.#responded = true;
      this.heardAt = performance.now();
    }
    if (word === 'started') this.#started = true;
    if (word === 'refused') this.#refused = first;
    else if (word === 'exited') this.#code = /^\d{1,3}$/.test(first) ? Number(first) : 255;
    else if (word === 'item') this.#items.push([first, rest.join(' ')]);
    else if (word === 'section') {
      this.#section = first;
      if (!this.#texts.has(first)) this.#texts.set(first, []);
    }
  }
}

/** Waits for a script, but no longer than `silenceMs` without output after its start. */
export async function untilSilent(
  over: Promise<ScriptOutput>,
  run: ScriptRun,
  { leftMs, silenceMs }: { readonly leftMs: number; readonly silenceMs: number | undefined },
  signal: AbortSignal | undefined,
): Promise<ScriptOutput | 'timeout' | 'cancelled'> {
  if (silenceMs === undefined) return firstOf(over, leftMs, signal);
  const end = performance.now() + leftMs;
  for (;;) {
    const now = performance.now();
    const silent = (run.heardAt ?? now) + silenceMs;
    if (now >= end || now >= silent) return 'timeout';
    const outcome = await firstOf(over, Math.min(end, silent) - now + 1, signal);
    if (outcome !== 'timeout') return outcome;
  }
}
