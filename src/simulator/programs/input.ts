import { FileError } from '../files/inode.ts';
import { fromBytes } from '../kernel/bytes.ts';
import type { OpenFile } from '../kernel/open-file.ts';
import type { Call } from './program.ts';

/** Runs the work for each file, or for stdin if there is none or for `-`. @returns 1 if a file could not be opened or read */
export async function eachInput(
  call: Call,
  names: readonly string[],
  work: (file: OpenFile, name: string) => Promise<void>,
): Promise<number> {
  let code = 0;
  for (const name of names.length === 0 ? ['-'] : names) {
    try {
      const file = (
        name === '-' ? call.process.fds.get(0) : await call.sys.open(name, { reads: true })
      ).retain();
      try {
        await work(file, name);
      } finally {
        file.release();
      }
    } catch (error) {
      if (!(error instanceof FileError) || error.code === 'EPIPE' || error.code === 'ENOSPC') throw error;
      await call.warn(`${call.name}: ${fromBytes(name)}: ${error.text}\n`);
      code = 1;
    }
  }
  return code;
}

/** The content of a file, in chunks as it arrives. */
export async function* chunksOf(call: Call, file: OpenFile): AsyncGenerator<Buffer> {
  for (;;) {
    const chunk = await file.read(call.process, 65_536);
    if (chunk.length === 0) return;
    yield chunk;
  }
}

/** A line, and its newline, if it has one. */
export interface Line {
  readonly text: string;
  readonly newline: string;
}

/** The lines of a file as they arrive. */
export async function* linesOf(call: Call, file: OpenFile, separator = '\n'): AsyncGenerator<Line> {
  let rest = '';
  for (;;) {
    const chunk = await file.read(call.process, 65_536);
    if (chunk.length === 0) break;
    const pieces = (rest + chunk.toString('latin1')).split(separator);
    rest = pieces.pop() ?? '';
    for (const text of pieces) yield { text, newline: separator };
  }
  if (rest !== '') yield { text: rest, newline: '' };
}

/** All lines of all inputs, without their newlines. */
export async function allLines(
  call: Call,
  names: readonly string[],
  separator = '\n',
): Promise<{ lines: string[]; code: number }> {
  const lines: string[] = [];
  const code = await eachInput(call, names, async (file) => {
    for await (const { text } of linesOf(call, file, separator)) lines.push(text);
  });
  return { lines, code };
}

/** Buffers output that is printed line by line, so that a large output is not written in a million writes. */
export class Output {
  readonly #call: Call;
  #waiting: string[] = [];
  #size = 0;

  constructor(call: Call) {
    this.#call = call;
  }

  async add(bytes: string): Promise<void> {
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= 32_768) await this.flush();
  }

  async flush(): Promise<void> {
    const bytes = this.#waiting.join('');
    this.#waiting = [];
    this.#size = 0;
    await this.#call.printBytes(bytes);
  }
}
