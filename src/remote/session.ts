import { randomBytes } from 'node:crypto';
import type { RemoteChannel } from '../ssh/ssh-types.ts';
import { interpreterIn, type LoginTrouble, noShell } from './session-errors.ts';

/** A question in a start file consumes a line, so the greeting is repeated this often, in ms. */
const REPEAT_MS = 1_000;
/** How long a login shell may take, in ms, until `/bin/sh` answers. */
const LOGIN_LIMIT_MS = 10_000;
/** A line without an end that has stood for so long, in ms, while nothing answers, is a question. */
const QUESTION_MS = 4_000;
/** How long, in ms, a shell may take to say something at the end of its input. */
const LAST_WORDS_MS = 500;
/** What a login shell prints is kept for the error message up to this many bytes. */
const LOGIN_OUTPUT = 4_096;
/** More than this before the handshake is not the greeting of a login shell. */
const MAX_LOGIN_OUTPUT = 1024 * 1024;

export interface SessionOptions {
  /** Runs the shell as root by `sudo -n`. */
  readonly sudo: boolean;
  readonly limitMs?: number;
}

/** The line that starts a session's shell. Every login shell understands it, fish and csh included. */
export function shellLine(sudo: boolean): string {
  return sudo ? 'exec sudo -n /bin/sh' : 'exec /bin/sh';
}

/** A shell on one SSH channel that has answered a handshake. It waits for a request on its stdin. */
export class Session {
  readonly channel: RemoteChannel;
  /** How long it took, in ms, until the shell answered. */
  readonly openedInMs: number;
  readonly #uptimeS: number;
  readonly #uptimeAt: number;
  /** What a start file of the login shell asked, which reads its input; empty if it shows no question. null: none does. */
  readonly asked: string | null;
  #alive = true;
  /** It has run something, if only our own host-side scripts. */
  used = false;
  idleSince = performance.now();

  private constructor(channel: RemoteChannel, opened: { ms: number; uptimeS: number; asked: string | null }) {
    this.channel = channel;
    this.openedInMs = opened.ms;
    this.asked = opened.asked;
    this.#uptimeS = opened.uptimeS;
    this.#uptimeAt = performance.now();
    void channel.exited.then(() => {
      this.#alive = false;
    });
  }

  /**
   * Waits until the shell on `channel` has answered.
   * @throws AppError SSH_NO_SESSION or PERMISSION_DENIED that names what stands in its place; DISCONNECTED
   */
  static async open(channel: RemoteChannel, options: SessionOptions): Promise<Session> {
    const startedAt = performance.now();
    const answer = await new Handshake(channel).run(options.limitMs ?? LOGIN_LIMIT_MS);
    if (answer.ok) {
      const { uptimeS, asked } = answer;
      return new Session(channel, { ms: performance.now() - startedAt, uptimeS, asked });
    }
    channel.close();
    throw noShell(answer.trouble, options.sudo);
  }

  /** Whether its shell can still take a request, as far as is known here. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Clock ticks since the node's boot, of which Linux counts 100 a second: never later than now on the node. */
  ticks(): number {
    const elapsedS = (performance.now() - this.#uptimeAt) / 1000;
    // Two clocks may drift apart by some seconds a day.
    return Math.floor(100 * (this.#uptimeS + elapsedS * 0.9999));
  }

  /** Sends a request. One that runs something else than our host-side scripts must be the last. */
  send(request: string): void {
    this.used = true;
    this.channel.stdin.write(`${request}\n`);
  }

  /** Ends the shell with its input; a program that it runs goes on. */
  close(): void {
    this.#alive = false;
    this.channel.close();
  }
}

type Answer =
  | { readonly ok: true; readonly uptimeS: number; readonly asked: string | null }
  | { readonly ok: false; readonly trouble: LoginTrouble };

/** The exchange that shows that a POSIX shell reads our lines, and where the output of the login shell ends. */
class Handshake {
  readonly #channel: RemoteChannel;
  readonly #nonce = randomBytes(12).toString('hex');
  readonly #heard = { stdout: '', stderr: '' };
  #bytes = 0;
  #firstAnswered: number | undefined;
  #uptimeS: number | undefined;
  #errAnswered = false;
  #settle: (answer: Answer) => void = () => {};

  constructor(channel: RemoteChannel) {
    this.#channel = channel;
  }

  run(limitMs: number): Promise<Answer> {
    const { stdout, stderr, stdin, exited, closed } = this.#channel;
    // zsh is told apart by its own variable; other shells that are not POSIX do not understand the line at all.
    const n = this.#nonce;
    let lines = 0;
    const greet = () => {
      stdin.write(
        `{ read u x; } </proc/uptime; echo "${n} ${lines++} \${ZSH_VERSION:+z}sh $u"; echo ${n} >&2\n`,
      );
    };
    return new Promise((resolve) => {
      const onOut = () => this.#listen('stdout');
      const onErr = () => this.#listen('stderr');
      const startedAt = performance.now();
      const repeat = setInterval(() => {
        const out = this.#output('stdout');
        const err = this.#output('stderr');
        const asks = unfinishedLine(out) !== '' || unfinishedLine(err) !== '';
        const waited = performance.now() - startedAt;
        if (interpreterIn(`${out}\n${err}`) !== undefined || (asks && waited > QUESTION_MS)) {
          this.#fail({ ended: 'silent' });
        } else greet();
      }, REPEAT_MS);
      let lastWords: NodeJS.Timeout | undefined;
      // The end of its input makes a shell speak that reads all of it first, as fish does.
      const limit = setTimeout(() => {
        clearInterval(repeat);
        stdin.end();
        lastWords = setTimeout(() => this.#fail({ ended: 'silent' }), LAST_WORDS_MS);
      }, limitMs);
      this.#settle = (answer) => {
        clearInterval(repeat);
        clearTimeout(limit);
        clearTimeout(lastWords);
        stdout.off('readable', onOut);
        stderr.off('readable', onErr);
        this.#settle = () => {};
        resolve(answer);
      };
      stdout.on('readable', onOut);
      stderr.on('readable', onErr);
      // Its last words may still be on their way.
      void exited.then(({ code }) => {
        setTimeout(() => {
          onOut();
          onErr();
          this.#fail({ ended: lastWords === undefined ? 'exited' : 'silent', code });
        }, 50);
      });
      void closed.then(({ reason }) => {
        if (reason === 'disconnected') this.#fail({ ended: 'lost' });
      });
      greet();
      onOut();
      onErr();
    });
  }

  #listen(name: 'stdout' | 'stderr'): void {
    const stream = this.#channel[name];
    for (let chunk: Buffer | null = stream.read(); chunk !== null; chunk = stream.read()) {
      this.#bytes += chunk.length;
      // Only its beginning is of interest, and its end, where the answer is.
      const text = this.#heard[name] + chunk.toString('latin1');
      this.#heard[name] =
        text.length > 2 * LOGIN_OUTPUT ? text.slice(0, LOGIN_OUTPUT) + text.slice(-LOGIN_OUTPUT) : text;
    }
    if (this.#bytes > MAX_LOGIN_OUTPUT) this.#fail({ ended: 'silent' });
    const lines = this.#heard[name].split('\n').slice(0, -1);
    if (name === 'stderr') {
      this.#errAnswered ||= lines.some((line) => line.endsWith(this.#nonce));
    } else {
      for (const line of lines) {
        const match = /(\d+) (z?sh) (\d+\.\d+)$/.exec(line);
        if (match === null || !line.slice(0, match.index).endsWith(`${this.#nonce} `)) continue;
        if (match[2] === 'zsh') this.#fail({ ended: 'interpreter', interpreter: 'zsh' });
        this.#firstAnswered ??= Number(match[1]);
        this.#uptimeS = Number(match[3]);
      }
    }
    if (this.#uptimeS !== undefined && this.#errAnswered) {
      // A line that was never answered has been read by something else.
      const asked = (this.#firstAnswered ?? 0) > 0;
      const question = unfinishedLine(this.#output('stdout')) || unfinishedLine(this.#output('stderr'));
      this.#settle({ ok: true, uptimeS: this.#uptimeS, asked: asked ? question : null });
    }
  }

  /** What was printed before the answer. */
  #output(name: 'stdout' | 'stderr'): string {
    const text = this.#heard[name];
    const at = text.indexOf(this.#nonce);
    return Buffer.from(at < 0 ? text : text.slice(0, at), 'latin1').toString('utf8');
  }

  #fail(how: Pick<LoginTrouble, 'ended' | 'code' | 'interpreter'>): void {
    this.#settle({
      ok: false,
      trouble: { ...how, stdout: this.#output('stdout'), stderr: this.#output('stderr') },
    });
  }
}

/** The last line, if it has no end: that is what a question looks like. */
function unfinishedLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1).trim();
}
