import { FileError } from '../files/inode.ts';
import { fromBytes, toBytes } from '../kernel/bytes.ts';
import type { Process } from '../kernel/process.ts';
import { readToEnd, SystemCalls } from '../kernel/system-calls.ts';
import type { Machine } from '../machine.ts';

/** A program: a function of its call that resolves to the exit code. */
export type Program = (call: Call) => Promise<number> | number;

/** Ends a program with a message, after the name of the program. */
export class Failure extends Error {
  readonly code: number;

  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}

/** The context of a program: its process, its arguments and its three streams. */
export class Call {
  readonly process: Process;
  readonly sys: SystemCalls;
  /** Arguments as byte strings, without the name of the program. */
  readonly args: readonly string[];

  constructor(process: Process, args: readonly string[] = process.argv.slice(1)) {
    this.process = process;
    this.sys = new SystemCalls(process);
    this.args = args;
  }

  get name(): string {
    return (this.process.argv[0] ?? '').replace(/^.*\//, '');
  }

  get machine(): Machine {
    return this.process.machine;
  }

  /** Arguments as text. */
  get words(): string[] {
    return this.args.map(fromBytes);
  }

  /** Prints text. */
  print(text: string): Promise<void> {
    return this.write(Buffer.from(text));
  }

  /** Prints a byte string. */
  printBytes(bytes: string): Promise<void> {
    return this.write(Buffer.from(bytes, 'latin1'));
  }

  async write(bytes: Buffer): Promise<void> {
    if (bytes.length > 0) await this.process.fds.get(1).write(this.process, bytes);
  }

  /** Prints text on stderr; a closed stderr is not an error. */
  async warn(text: string): Promise<void> {
    try {
      await this.process.fds.find(2)?.write(this.process, Buffer.from(toBytes(text), 'latin1'));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
    }
  }

  /** The next bytes of stdin; empty at its end. */
  read(max = 65_536): Promise<Buffer> {
    return this.process.fds.get(0).read(this.process, max);
  }

  readStdin(): Promise<Buffer> {
    return readToEnd(this.process, this.process.fds.get(0));
  }

  /** A file, or stdin for `-`. */
  readInput(path: string): Promise<Buffer> {
    return path === '-' ? this.readStdin() : this.sys.readFile(path);
  }

  /** Waits for a child as `sh` does. */
  async wait(child: Process): Promise<number> {
    return (await this.process.waitFor(child))?.code ?? 255;
  }
}

/** Runs a program in its process. @returns the exit code */
export async function runProgram(process: Process, program: Program): Promise<number> {
  const call = new Call(process);
  try {
    return await program(call);
  } catch (error) {
    if (error instanceof Failure) {
      await call.warn(`${call.name}: ${error.message}\n`);
      return error.code;
    }
    if (!(error instanceof FileError)) throw error;
    const where = error.code === 'EPIPE' ? 'write error' : fromBytes(error.path);
    await call.warn(`${call.name}: ${where}: ${error.text}\n`);
    return 1;
  }
}
