import { FileError } from '../files/inode.ts';
import type { Start } from './start.ts';

/** A transfer that will not be: a code and what is printed with it. */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, text: string) {
    super(text);
    this.code = code;
  }
}

const TOOLS = ['head', 'sha256sum', 'stat', 'readlink', 'wc'];

/** The lines of a transfer: each begins with the nonce. */
export class Dialog {
  readonly #start: Start;
  readonly #nonce: string;

  constructor(start: Start, nonce: string) {
    this.#start = start;
    this.#nonce = nonce;
  }

  async say(line: string): Promise<void> {
    await this.unfrozen();
    await this.#start.streams.stdout.write(`${this.#nonce} ${line}\n`);
  }

  unfrozen(): Promise<void> {
    return this.#start.machine.table.unfrozen(this.#start.machine.vmid);
  }

  requireTools(): void {
    const { files } = this.#start.machine;
    const missing = TOOLS.find((tool) => !files.exists(`/usr/bin/${tool}`));
    if (missing !== undefined) throw new Refusal('TOOL_MISSING', missing);
  }

  /** Runs the work; a refusal is told, and the script has done its duty. */
  async run(work: () => Promise<number>): Promise<number> {
    try {
      await this.unfrozen();
      return await work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      await this.say(`fail ${error.code}\n${error.message}`);
      return 0;
    }
  }
}

/** What the file system refuses, as a refusal of the transfer. */
export function refusing<T>(action: () => T, what: string): T {
  try {
    return action();
  } catch (error) {
    throw new Refusal('IO', `${what}: ${error instanceof FileError ? error.text : String(error)}`);
  }
}
