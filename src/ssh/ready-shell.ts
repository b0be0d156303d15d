import { randomBytes } from 'node:crypto';
import type { Connection } from './connection.ts';
import type { RemoteChannel } from './ssh-types.ts';

/** How long, in ms, the shell may take to answer before the command runs in a new session instead. */
const ANSWER_MS = 1000;
/** Longer, because no call waits for the first answer and login scripts may be slow. */
const FIRST_ANSWER_MS = 10_000;

/**
 * A remote shell that waits on its stdin for one command, which then replaces the shell. A command needs as many round trips
 * as in a new session, but sshd does not have to fork and no login shell has to start, which saves a quarter of the time of
 * a short command.
 */
export class ReadyShell {
  readonly #channel: RemoteChannel;

  constructor(channel: RemoteChannel) {
    this.#channel = channel;
  }

  /** Whether the shell executes commands. Checked before a command is sent, because a command is sent only once. */
  answers(withinMs = ANSWER_MS, signal?: AbortSignal): Promise<boolean> {
    const { stdin, stdout } = this.#channel;
    const word = randomBytes(8).toString('hex');
    return new Promise((resolve) => {
      let received = '';
      const settle = (answer: boolean) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        // The reader of the command's output gets the stream as if it had not been read before.
        stdout.off('readable', onReadable);
        resolve(answer);
      };
      const giveUp = () => settle(false);
      const onReadable = () => {
        const chunk: Buffer | null = stdout.read();
        if (chunk === null) return;
        received += chunk.toString('latin1');
        // Other output comes from a start-up file or a forced command, which could also write into results.
        if (received.length > word.length || !word.startsWith(received)) settle(received === `${word}\n`);
      };
      const timer = setTimeout(giveUp, withinMs).unref();
      signal?.addEventListener('abort', giveUp);
      stdout.on('readable', onReadable);
      // Not `closed`, which resolves only after the streams have been read to their end.
      void this.#channel.exited.then(giveUp);
      stdin.write(`echo ${word}\n`);
    });
  }

  /** Sends the command, which replaces the shell if it begins with `exec`. The channel then belongs to the command. */
  run(command: string): RemoteChannel {
    this.#channel.stdin.write(`${command}\n`);
    return this.#channel;
  }

  discard(): void {
    // The end of its stdin ends the shell and so the session.
    this.#channel.close();
  }
}

/** Keeps one shell ready after one was first needed. */
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

  /** Starts a shell on a connection with free sessions, if none is ready. Never rejects. */
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
        // A shell that prints something else or does not answer will do so every time.
        this.#unfit = !connection.lost;
        shell.discard();
      }
    } finally {
      this.#starting = false;
    }
  }

  /** Ends the shell, because its session is needed. */
  discard(): void {
    this.#shell?.discard();
    this.#shell = undefined;
  }
}
