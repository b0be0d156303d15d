import type { VirtualFs } from '../files/virtual-fs.ts';
import type { Process, ProcessTable } from '../processes/process-table.ts';
import type { Sink } from './streams.ts';

/** Where programs run: a node or a container. */
export interface Machine {
  /** null for a node. */
  readonly vmid: number | null;
  readonly hostname: string;
  userName(uid: number): string;
  readonly files: VirtualFs;
  readonly table: ProcessTable;
  /** Programs beyond those of just-bash, by name. */
  readonly programs: ReadonlyMap<string, Program>;
  /** Waits where reading hangs; throws FileError for what is not served. What a user may do is the matter of Access. */
  gate(path: string): Promise<void>;
}

/** What a program is started with. */
export interface ProgramCall {
  readonly machine: Machine;
  /** The shell that called it. */
  readonly process: Process;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  /** All variables of the shell, exported or not. */
  readonly variables: ReadonlyMap<string, string>;
  readonly cwd: string;
  readonly uid: number;
  readonly stdin: Buffer;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Runs a program in a process of its own, or in this one where the shell gives way to it. */
  spawn(argv: readonly string[], options?: SpawnOptions): Promise<number>;
  /** Lives as long as `work` takes, and is seen as a process that can be killed. */
  child(argv: readonly string[], work: (signal: AbortSignal) => Promise<number>): Promise<number>;
  /** The program of just-bash that goes by the same name. */
  original(args: readonly string[]): Promise<{ stdout: string; stderr: string; exitCode: number }>;
}

export interface SpawnOptions {
  readonly env?: ReadonlyMap<string, string>;
  readonly setsid?: boolean;
  readonly uid?: number;
  readonly ignore?: readonly ('HUP' | 'INT' | 'TERM')[];
  /** Sends TERM after so many ms; the code is 124 then. */
  readonly timeoutMs?: number;
}

/** Resolves to the exit code. */
export type Program = (call: ProgramCall) => Promise<number> | number;
