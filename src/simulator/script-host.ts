import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { FileError, type Inode, makeDirectory, makeVolume } from './files/inode.ts';
import { Guest } from './guest/guest.ts';
import { type Ran, type RunOptions, runProgramOn } from './handles/run-program.ts';
import { toBytes } from './kernel/bytes.ts';
import { drive, executeOrTell } from './kernel/execute-file.ts';
import { FdTable, OpenFile } from './kernel/open-file.ts';
import { Pipe } from './kernel/pipe.ts';
import { startTicks } from './kernel/proc-directory.ts';
import type { Process } from './kernel/process.ts';
import { ProcessTable } from './kernel/process-table.ts';
import { readScenario } from './scenario.ts';

export interface ScriptHostOptions {
  /** debian has dash and bash, alpine has busybox. */
  readonly flavour?: 'debian' | 'alpine';
  /** Size of the disk, such as 8G or 64K. */
  readonly disk?: string;
  /** Files by their paths. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface StartOptions extends Omit<RunOptions, 'stdin'> {
  /** Called with its output as it is written. */
  readonly onStdout?: (bytes: Buffer) => void;
  readonly onStderr?: (bytes: Buffer) => void;
  /** Timer slack of the process, in ns. */
  readonly slackNs?: number;
}

/** A running program on a ScriptHost. */
export interface Running {
  readonly process: Process;
  /** Writes to its stdin. */
  write(bytes: string | Uint8Array): void;
  /** Closes its stdin; further calls have no effect. */
  end(): void;
  /** Its output so far. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Its exit code; 128 + n if signal n ended it. */
  readonly exited: Promise<number>;
  /** Its exit code, after all processes have closed its stdout and stderr. */
  readonly closed: Promise<number>;
}

/** A simulated machine without SSH and Proxmox VE, for tests of scripts. */
export class ScriptHost {
  readonly #guest: Guest;

  constructor({ flavour = 'debian', disk = '8G', files = {} }: ScriptHostOptions = {}) {
    const scenario = readScenario({
      nodes: {
        host: { containers: { 100: { name: 'host', flavour, disk: { size: disk, used: 0 }, files } } },
      },
    });
    const container = scenario.nodes.host?.containers[100];
    if (!container) throw new Error('the scenario has no container');
    this.#guest = new Guest(100, container, new ProcessTable());
    this.#guest.boot();
  }

  /** Its files: read, write, get, list, remove and the like. */
  get files() {
    return this.#guest.files;
  }

  /** Its processes, or those with the text in their arguments. */
  processes(text = ''): Process[] {
    return this.#guest.table.list().filter(({ cmdline }) => cmdline.includes(text));
  }

  /** Clock ticks since boot, as in /proc/PID/stat of a process that starts now. */
  get ticks(): number {
    return startTicks(new Date());
  }

  /** Runs a program to its end. */
  run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return runProgramOn(this.#guest, argv, options);
  }

  /** Starts a program that can be given input while it runs. */
  start(argv: readonly string[], options: StartOptions = {}): Running {
    const { reader, writer } = Pipe.make();
    writer.retain();
    const stdout = new Collected('stdout', options.onStdout);
    const stderr = new Collected('stderr', options.onStderr);
    const fds = new FdTable();
    fds.set(0, reader);
    fds.set(1, stdout);
    fds.set(2, stderr);
    const words = argv.map(toBytes);
    const env = new Map(
      Object.entries({ PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', ...options.env }).map(
        ([name, value]) => [name, toBytes(value)],
      ),
    );
    const process = this.#guest.table.spawn({
      parent: undefined,
      machine: this.#guest,
      argv: words,
      env,
      fds,
      uid: options.uid ?? 0,
      cwd: options.cwd ?? '/',
    });
    if (options.slackNs !== undefined) process.slackNs = options.slackNs;
    const exited = drive(process, () => executeOrTell(process, words, env, 'start')).then(
      () => process.status?.code ?? 255,
    );
    let hasEnded = false;
    return {
      process,
      write: (bytes) => writer.push(Buffer.from(bytes)),
      end: () => {
        if (!hasEnded) writer.release();
        hasEnded = true;
      },
      get stdout() {
        return stdout.bytes;
      },
      get stderr() {
        return stderr.bytes;
      },
      exited,
      closed: Promise.all([exited, stdout.closed, stderr.closed]).then(([code]) => code),
    };
  }

  /** Mounts an empty disk on a directory. @param size in bytes */
  mount(directory: string, { size, readOnly = false }: { size: number; readOnly?: boolean }): void {
    this.files.mount(directory, makeDirectory(makeVolume({ size, readOnly })));
  }

  /** Ends all processes. */
  stop(): void {
    this.#guest.halt();
  }

  /** Copies a directory of this machine to the same path on the simulated one. */
  importDirectory(directory: string): void {
    this.files.makeDirectories(directory);
    for (const name of readdirSync(directory)) {
      const from = path.join(directory, name);
      const stat = lstatSync(from);
      if (stat.isSymbolicLink()) this.files.symlink(readlinkSync(from), from);
      else if (stat.isDirectory()) this.importDirectory(from);
      else if (stat.isFile()) this.files.write(from, readFileSync(from));
      else continue;
      if (!stat.isSymbolicLink()) this.files.get(from).mode = stat.mode & 0o7777;
    }
  }

  /** Copies a directory of the simulated machine back, including removals. */
  exportDirectory(directory: string): void {
    const { entries } = this.files.directory(directory);
    for (const name of readdirSync(directory))
      if (!entries.has(name)) rmSync(path.join(directory, name), { recursive: true });
    for (const [name, inode] of entries)
      exportInode(path.join(directory, name), inode, () => this.exportDirectory(path.join(directory, name)));
  }
}

function exportInode(to: string, inode: Inode, descend: () => void): void {
  if (inode.kind === 'directory') {
    mkdirSync(to, { recursive: true });
    descend();
  } else if (inode.kind === 'link') {
    rmSync(to, { force: true });
    symlinkSync(inode.target, to);
  } else if (inode.kind === 'file') writeFileSync(to, inode.content);
  else return;
  if (inode.kind !== 'link') chmodSync(to, inode.mode & 0o7777);
}

class Collected extends OpenFile {
  readonly #chunks: Buffer[] = [];
  readonly #onWrite: (bytes: Buffer) => void;
  /** Resolves when the last process has closed the file. */
  readonly closed: Promise<void>;
  #close = () => {};

  constructor(name: string, onWrite: (bytes: Buffer) => void = () => {}) {
    super(name);
    this.#onWrite = onWrite;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  async read(): Promise<Buffer> {
    throw new FileError('EBADF', 'read', this.name);
  }

  async write(process: Process, bytes: Buffer): Promise<void> {
    await process.ready();
    const copy = Buffer.from(bytes);
    this.#chunks.push(copy);
    this.#onWrite(copy);
  }

  unread(): void {}

  protected override close(): void {
    this.#close();
  }
}
