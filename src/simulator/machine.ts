import type { VirtualFs } from './files/virtual-fs.ts';
import type { ProcessTable } from './kernel/process-table.ts';
import type { WaitQueue } from './kernel/wait-queue.ts';
import type { Program } from './programs/program.ts';

/** A computer that runs programs: a node or a container. */
export interface Machine {
  /** null for a node. */
  readonly vmid: number | null;
  readonly hostname: string;
  /** IPv4 address. */
  readonly address: string;
  readonly files: VirtualFs;
  readonly table: ProcessTable;
  /** Programs by the name in their files. */
  readonly programs: ReadonlyMap<string, Program>;
  userName(uid: number): string;
  /** The queue to wait for before the path can be read; undefined if its file system responds. */
  hangs(path: string): WaitQueue | undefined;
  /** Whether the path is read-only at present, also for root. */
  refusesChange(path: string): boolean;
}
