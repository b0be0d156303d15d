import { FileError } from '../files/inode.ts';
import { toBytes } from '../kernel/bytes.ts';
import { drive, executeOrTell } from '../kernel/execute-file.ts';
import { Device, FdTable, OpenFile } from '../kernel/open-file.ts';
import { Pipe } from '../kernel/pipe.ts';
import type { Process } from '../kernel/process.ts';
import type { Machine } from '../machine.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  /** The input of the program; empty by default. */
  readonly stdin?: string | Uint8Array;
}

/** Collects all written data. */
class Collector extends OpenFile {
  readonly #chunks: Buffer[] = [];

  async read(): Promise<Buffer> {
    throw new FileError('EBADF', 'read', this.name);
  }

  async write(process: Process, bytes: Buffer): Promise<void> {
    await process.ready();
    this.#chunks.push(Buffer.from(bytes));
  }

  unread(): void {}

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
};

/** Runs a program as root without SSH, and collects its output until it ends. */
export async function runProgramOn(
  machine: Machine,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const [stdout, stderr] = [new Collector('stdout'), new Collector('stderr')];
  const fds = new FdTable();
  fds.set(0, options.stdin === undefined ? new Device('/dev/null') : inputOf(options.stdin));
  fds.set(1, stdout);
  fds.set(2, stderr);
  const env = new Map(
    Object.entries({ ...ENVIRONMENT, ...options.env }).map(([name, value]) => [name, toBytes(value)]),
  );
  const words = argv.map(toBytes);
  const process = machine.table.spawn({
    parent: undefined,
    machine,
    argv: words,
    env,
    fds,
    uid: options.uid ?? 0,
    cwd: options.cwd ?? '/',
  });
  await drive(process, () => executeOrTell(process, words, env, 'run'));
  return { code: process.status?.code ?? 255, stdout: stdout.text, stderr: stderr.text };
}

function inputOf(content: string | Uint8Array): OpenFile {
  const { reader, writer } = Pipe.make();
  writer.retain();
  reader.unread(Buffer.from(content));
  writer.release();
  return reader;
}
