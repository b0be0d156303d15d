import type { Process } from '../processes/process-table.ts';
import type { Machine } from '../shell/machine.ts';
import type { Streams } from '../shell/streams.ts';

/** A program that is about to run, with streams that are still flowing. */
export interface Start {
  readonly machine: Machine;
  /** The process that becomes this program. */
  readonly process: Process;
  readonly argv: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  readonly cwd: string;
  readonly uid: number;
  readonly streams: Streams;
}

/** Resolves with the code of whichever comes first: the end of the work, or a signal that ends the process. */
export function untilDeath(process: Process, work: Promise<number>): Promise<number> {
  const died = new Promise<number>((resolve) => {
    process.onDeath = resolve;
    if (!process.alive) resolve(137);
  });
  return Promise.race([died, work]);
}
