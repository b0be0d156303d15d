import { randomBytes } from 'node:crypto';
import type { RemoteChannel } from '../ssh/ssh-types.ts';
import { HANDSHAKE_PART, interpreterIn, type LoginTrouble } from './session-errors.ts';

/** Interval of the handshake lines, in ms. They are repeated because a question in a start-up file consumes a line. */
const REPEAT_MS = 1_000;
/** After this time, in ms, without a response, an unfinished line counts as a question, and a silent stream as redirected. */
const QUESTION_MS = 4_000;
/** How long, in ms, a shell may take to print something after the end of its input. */
const LAST_WORDS_MS = 500;
/** Maximum bytes of login shell output that are kept for the error message. */
const LOGIN_OUTPUT = 4_096;
/** The exit code of the test whether the shell can start a program, if it can start a shell but no other program. */
const INTERCEPTED = 95;
/** The shell of sessions. */
export const SHELL = '/bin/sh';
/**
 * Allows root of an unprivileged container, who is another user on the node, to open `/dev/stdout` and `/dev/stderr`, which are
 * the pipes of sshd. Others cannot open them: that takes access to a process that has them open. Only pipes may be changed: a
 * start-up file may have redirected the streams to `/dev/null`, and dash redirects its own stderr while it starts a command with
 * `2>/dev/null`.
 */
const OPEN_STREAMS =
  '[ -p /proc/self/fd/1 ] && [ -p /proc/self/fd/2 ] && chmod 622 /proc/self/fd/3 /proc/self/fd/4 3>&1 4>&2 2>/dev/null';
/** Maximum output before the handshake. More is not a greeting of a login shell. */
const MAX_LOGIN_OUTPUT = 1024 * 1024;

export interface SessionOptions {
  /** Runs the shell as root by `sudo -n`. */
  readonly sudo: boolean;
  /** Also checks that the shell can start a program, which sudo can prevent. */
  readonly startsProgram?: boolean;
  readonly limitMs?: number;
}

/** The result of a handshake that succeeded. */
export interface Opened {
  readonly ok: true;
  readonly uptimeS: number;
  readonly bootId: string;
  readonly asked: string | null;
  readonly isDirect: boolean;
}

type Answer = Opened | { readonly ok: false; readonly trouble: LoginTrouble };

/** The handshake. It verifies that a POSIX shell reads our lines, and marks the end of the login shell's output. */
export class Handshake {
  readonly #channel: RemoteChannel;
  readonly #sudo: boolean;
  readonly #startsProgram: boolean;
  readonly #nonce = randomBytes(12).toString('hex');
  readonly #heard = { stdout: '', stderr: '' };
  #bytes = 0;
  #firstAnswered: number | undefined;
  #uptimeS: number | undefined;
  #bootId = '';
  #isDirect = false;
  #errAnswered = false;
  #settle: (answer: Answer) => void = () => {};

  constructor(channel: RemoteChannel, { sudo, startsProgram = false }: SessionOptions) {
    this.#channel = channel;
    this.#sudo = sudo;
    this.#startsProgram = startsProgram;
  }

  run(limitMs: number): Promise<Answer> {
    const { stdout, stderr, stdin, exited, closed } = this.#channel;
    // zsh is recognized by its own variable. Other non-POSIX shells do not understand the line at all. The sixth field of stat
    // is the session, which sshd begins with the login shell.
    const n = this.#nonce;
    let lines = 0;
    const program = this.#startsProgram
      ? `${SHELL} -c : 2>/dev/null && { PATH=/usr/bin:/bin cat /dev/null 2>/dev/null || (exit ${INTERCEPTED}); }; `
      : ':; ';
    const greet = () => {
      stdin.write(
        `${program}e=$?; { read b; } ${HANDSHAKE_PART}; { read u x; } </proc/uptime; { read x x x x x s x; } </proc/$$/stat; echo "${n} ${lines++} \${ZSH_VERSION:+z}sh $u $b $e $s $$ $PPID $0"; echo ${n} >&2; ${OPEN_STREAMS}\n`,
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
        const isHopeless = asks || this.#redirected !== undefined;
        if (interpreterIn(`${out}\n${err}`) !== undefined || (isHopeless && waited > QUESTION_MS)) {
          this.#fail({ ended: 'silent' });
        } else greet();
      }, REPEAT_MS);
      let lastWords: NodeJS.Timeout | undefined;
      // Shells that read all input before they execute it, such as fish, respond only after the end of the input.
      const limit = setTimeout(() => {
        clearInterval(repeat);
        stdin.end();
        lastWords = setTimeout(() => this.#fail({ ended: 'silent' }), LAST_WORDS_MS);
      }, limitMs);
      let answered = false;
      this.#settle = (answer) => {
        answered = true;
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
      // The last output may not have arrived yet.
      void exited.then(({ code }) => {
        setTimeout(() => {
          // After the handshake, the output belongs to the request.
          if (answered) return;
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
      // Keep only the beginning, and the end, which contains the response.
      const text = this.#heard[name] + chunk.toString('latin1');
      this.#heard[name] =
        text.length > 2 * LOGIN_OUTPUT ? text.slice(0, LOGIN_OUTPUT) + text.slice(-LOGIN_OUTPUT) : text;
    }
    if (this.#bytes > MAX_LOGIN_OUTPUT) this.#fail({ ended: 'endless' });
    const lines = this.#heard[name].split('\n').slice(0, -1);
    if (name === 'stderr') {
      this.#errAnswered ||= lines.some((line) => line.endsWith(this.#nonce));
    } else {
      for (const line of lines) {
        const match = /(\d+) (z?sh) (\d+\.\d+) ([\w-]*) (\d+) (\d*) (\d+) (\d*) (.*)$/.exec(line);
        if (match === null || !line.slice(0, match.index).endsWith(`${this.#nonce} `)) continue;
        if (match[2] === 'zsh') this.#fail({ ended: 'interpreter', interpreter: 'zsh' });
        if (match[5] !== '0') {
          this.#fail({ ended: match[5] === String(INTERCEPTED) ? 'intercept' : 'noexec' });
        }
        this.#firstAnswered ??= Number(match[1]);
        this.#uptimeS = Number(match[3]);
        this.#bootId = match[4] ?? '';
        this.#isDirect = isDirect(match.slice(6), this.#sudo);
      }
    }
    if (this.#uptimeS !== undefined && this.#errAnswered) {
      // A line without a response was read by another program.
      const asked = (this.#firstAnswered ?? 0) > 0;
      const question = unfinishedLine(this.#output('stdout')) || unfinishedLine(this.#output('stderr'));
      this.#settle({
        ok: true,
        uptimeS: this.#uptimeS,
        bootId: this.#bootId,
        isDirect: this.#isDirect,
        asked: asked ? question : null,
      });
    }
  }

  /** The output before the response. */
  #output(name: 'stdout' | 'stderr'): string {
    const text = this.#heard[name];
    const at = text.indexOf(this.#nonce);
    return Buffer.from(at < 0 ? text : text.slice(0, at), 'latin1').toString('utf8');
  }

  /** The stream without an answer, if the other one has one. */
  get #redirected(): 'stdout' | 'stderr' | undefined {
    const outAnswered = this.#uptimeS !== undefined;
    if (outAnswered === this.#errAnswered) return undefined;
    return outAnswered ? 'stderr' : 'stdout';
  }

  #fail(how: Pick<LoginTrouble, 'ended' | 'code' | 'interpreter'>): void {
    const streams = { stdout: this.#output('stdout'), stderr: this.#output('stderr') };
    const onTerminal = this.#heard.stdout.includes('\r\n');
    this.#settle({ ok: false, trouble: { ...how, onTerminal, redirected: this.#redirected, ...streams } });
  }
}

/** Whether nothing is between the shell and sshd except, if configured, sudo. Both end with the exit code of the shell. */
function isDirect([session = '', pid, parent, name]: readonly string[], sudo: boolean): boolean {
  return session === '' || session === pid || (sudo && session === parent && name === SHELL);
}

/** The last line, if it is unfinished, which is typical for a question. */
function unfinishedLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1).trim();
}
