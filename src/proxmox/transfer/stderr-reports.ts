import type { Readable } from 'node:stream';
import { FrameReader } from '../../remote/protocol.ts';

/** Bytes of stderr that are kept for error messages. */
const KEPT = 8_192;
const WORDS = ['began', 'sent', 'failed'];

export interface StderrListeners {
  readonly onBegan: () => void;
  readonly onFailed: (fields: readonly string[]) => void;
}

/** stderr of a transfer: messages of programs, and, where stdout has only the bytes of a file, the reports of its sender. */
export class StderrReports {
  /** The fields of the sender's last report. */
  readonly sent: Promise<readonly string[]>;
  readonly #word: string | undefined;
  #text = '';

  /** @param word the first word of reports; undefined if there are none */
  constructor(stderr: Readable, word: string | undefined, { onBegan, onFailed }: StderrListeners) {
    this.#word = word;
    this.sent = new Promise((resolve) => {
      const frames = word === undefined ? undefined : new FrameReader(word, WORDS);
      stderr.on('data', (chunk: Buffer) => {
        if (this.#text.length < KEPT) this.#text += chunk.toString('utf8');
        for (const frame of frames?.push(chunk) ?? []) {
          if (frame.kind !== 'frame') continue;
          if (frame.word === 'sent') resolve(frame.fields);
          else if (frame.word === 'began') onBegan();
          else onFailed(frame.fields);
        }
      });
    });
  }

  /** The beginning of what was written. */
  get text(): string {
    return this.#text;
  }

  /**
   * The messages of programs before and after the script has begun.
   * @param innerWord the first word of the frame with which the script reports its begin
   */
  messages(innerWord: string): { readonly before: string; readonly after: string } {
    const lines = this.#text
      .split(/(?<=\n)/)
      .filter((line) => this.#word === undefined || this.#word === innerWord || !line.startsWith(this.#word));
    // A script that sends reports its begin twice.
    const [before = '', ...rest] = lines.join('').split(`${innerWord} began\n`);
    return { before, after: rest.join('').trim() };
  }
}
