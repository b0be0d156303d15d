import { randomBytes } from 'node:crypto';
import type { Connection } from './connection.ts';
import type { RemoteChannel } from './ssh-types.ts';

/** How long, in ms, a shell may take to answer before its command goes the usual way. */
const ANSWER_MS = 1000;
/** Nobody waits for the first answer; login scripts may be slow. */
const FIRST_ANSWER_MS = 10_000;

/**
 * A shell on the far side that waits on its stdin for the one command that it will become. A command costs no more
 * round trips than in a new session, but sshd need not fork and no login shell has to start: a quarter of a short command's time.
 */
export class ReadyShell {
  readonly #channel: RemoteChannel;

  constructor(channel: RemoteChannel) {
    this.#channel = channel;
  }

  /** Whether the far side is there and understands us. Asked before a command is sent, for that is done only once. */
  answers(withinMs = ANSWER_MS, signal?: AbortSignal): Promise<boolean> {
    const { stdin, stdout } = this.#channel;
    const word = randomBytes(8).toString('hex');
    return new Promise((resolve) => {
      let heard = '';
      const settle = (answer: boolean) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        // Who reads the command's output then finds the stream as if nobody had read it.
        stdout.off('readable', listen);
        resolve(answer);
      };
      const giveUp = () => settle(false);
      const listen = () => {
        const chunk: Buffer | null = stdout.read();
        if (chunk === null) return;
        heard += chunk.toString('latin1');
        // Not its first words: a start file or a forced command has written them, and might write into results.
        if (heard.length > word.length || !word.startsWith(heard)) settle(heard === `${word}\n`);
      };
      const timer = setTimeout(giveUp, withinMs).unref();
      signal?.addEventListener('abort', giveUp);
      stdout.on('readable', listen);
      // Not `closed`, which waits until somebody reads the streams to their end.
      void this.#channel.exited.then(giveUp);
      stdin.write(`echo ${word}\n`);
    });
  }

  /** Sends the command, which takes the place of the shell if it is an `exec`. The channel is then the command's. */
  run(command: string): RemoteChannel {
    this.#channel.stdin.write(`${command}\n`);
    return this.#channel;
  }

  discard(): void {
    // With its input the shell ends, and with it the session.
    this.#channel.close();
  }
}

/** Keeps one shell ready, once there was use for one. */
export class ReadyShells {
  #shell: ReadyShell | undefined;
  #wanted = false;
  #starting = false;
  #unfit = false;

  take(): ReadyShell | undefined {
    this.#wanted = true;
    const shell = this.#shell;
    this.#shell = undefined;
    return shell;
  }

  /** Starts a shell on a connection that has sessions to spare, if there is none. Never rejects. */
  async prepare(connection: Connection): Promise<void> {
    if (!this.#wanted || this.#starting || this.#unfit || this.#shell !== undefined) return;
    this.#starting = true;
    try {
      const outcome = await connection.open('exec /bin/sh');
      if (outcome.kind !== 'open') return;
      const { channel } = outcome;
      const shell = new ReadyShell(channel);
      if (await shell.answers(FIRST_ANSWER_MS)) {
        this.#shell = shell;
        void channel.exited.then(() => {
          if (this.#shell === shell) this.#shell = undefined;
        });
      } else {
        // What talks or is silent here does so every time.
        this.#unfit = !connection.lost;
        shell.discard();
      }
    } finally {
      this.#starting = false;
    }
  }

  /** Its session is needed. */
  discard(): void {
    this.#shell?.discard();
    this.#shell = undefined;
  }
}
