import type { SCRIPTS } from '../../src/remote/scripts/index.ts';

/** The texts of the scripts as they are sent, by name. A mutation test replaces one of them. */
export type Scripts = Readonly<Record<keyof typeof SCRIPTS, string>>;

/** How a script is run: the shell, its files and its processes. The cases know a machine only by this interface. */
export interface Machine {
  /** Name of the shell, for the names of the tests. */
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  readonly files: MachineFiles;
  /** Starts `script` as the shell's `-c` argument. */
  start(script: string, args: readonly string[], options?: StartOptions): Program;
  /** Creates an empty folder. */
  folder(): Promise<string>;
  /** Mounts a new disk; needs the feature `disks`. */
  disk(options: { readonly sizeKiB: number; readonly readOnly?: boolean }): Promise<Disk>;
  /** The path of a file of the node, such as /etc/pve/.members, for `files` and for arguments of scripts. */
  nodePath(path: string): string;
  /** Clock ticks since boot, as in the start times of its processes. */
  ticksNow(): number;
  /** Command lines of all live processes, read without the programs that scripts can replace. */
  commandLines(): Promise<readonly string[]>;
  /** Before each case: empties the folders of the node and ends all isolated processes. */
  reset(): Promise<void>;
  /** Ends all processes that it has started and removes its folders. */
  close(): Promise<void>;
}

/**
 * What a case may need beyond a shell: `isolated` processes in a PID namespace, `disks`, `fifos`, `processGroups`,
 * `fileSizeLimit`, `missingPrograms`: a shell without built-in programs, `ddBytes`: a dd that reports bytes, as on every node,
 * and `attributes`: GNU's cp and tar, chattr, mount, and a file system with extended attributes;
 * `awkAndGzip`: these programs, and `linux`: the kernel's list of mounts, and archives with special files.
 */
export type Feature =
  | 'attributes'
  | 'ddBytes'
  | 'awkAndGzip'
  | 'isolated'
  | 'linux'
  | 'disks'
  | 'fifos'
  | 'processGroups'
  | 'fileSizeLimit'
  | 'missingPrograms';

export interface Disk {
  /** The path for the scripts. */
  readonly inside: string;
  /** The path for `files`. */
  readonly outside: string;
}

export interface StartOptions {
  /** Added to PATH, HOME and LANG. */
  readonly env?: Readonly<Record<string, string>>;
  /** A folder whose programs take precedence. */
  readonly programs?: string;
  /** The only programs that exist besides those of `programs`. */
  readonly onlyPrograms?: readonly string[];
  /** Timer slack of the process, in ns. */
  readonly slackNs?: number;
  /** Starts it among the processes that `kill` cases examine, and where disks are mounted. */
  readonly isolated?: boolean;
  /** Maximum size of each file that it writes (ulimit -f). */
  readonly fileSizeLimitKiB?: number;
}

/** A running script. */
export interface Program {
  /** Its output so far. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Resolves when it has ended; its children may keep the streams open. */
  readonly exited: Promise<ProgramEnd>;
  /** Resolves when it has ended and all output has been read. */
  readonly closed: Promise<ProgramEnd>;
  /** Resolves when `test` is true after more output, or when the streams have ended. */
  until(test: () => boolean): Promise<void>;
  send(data: string | Buffer): void;
  endInput(): void;
  /** Sends TERM to its process group. */
  terminate(): void;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface MachineFiles {
  /** Creates missing parent folders. */
  write(file: string, content: string | Buffer, mode?: number): Promise<void>;
  append(file: string, content: Buffer): Promise<void>;
  /** @returns the content as text, or undefined if the file does not exist */
  read(file: string): Promise<string | undefined>;
  /** Names in a folder, sorted; empty if there is no folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Permission bits in octal, as `stat -c %a` prints them. */
  mode(file: string): Promise<string>;
  chmod(file: string, mode: number): Promise<void>;
  /** Cuts a file or extends it with zeros, which need no space where the file system allows it. */
  truncate(file: string, size: number): Promise<void>;
  /** Bytes that a file uses on the disk. */
  space(file: string): Promise<number>;
  isSymlink(file: string): Promise<boolean>;
  mkdir(folder: string): Promise<void>;
  symlink(target: string, file: string): Promise<void>;
  fifo(file: string): Promise<void>;
  /** Waits until the fifo is opened for reading, runs `meanwhile`, then writes. */
  writeFifo(file: string, content: string, meanwhile: () => Promise<void>): Promise<void>;
  remove(path: string): Promise<void>;
}
