import type { AppError } from '../lib/errors.ts';
import type { NodeLogger } from '../remote/remote-shell.ts';
import type { Routes } from '../ssh/route-choice.ts';
import type { SshTarget } from '../ssh/ssh-types.ts';
import type { Cleaner } from './exec/output-buffer.ts';
import type { Job } from './jobs/job-types.ts';
import type { ClosableChannelSource } from './nodes/node-link.ts';
import type { NodeAddress } from './nodes/node-target.ts';
import type { ReservedPaths } from './transfer/reserved-files.ts';

export interface ClusterOptions {
  /** The nodes in HOST, in order of preference; one at least. */
  readonly entries: readonly SshTarget[];
  /** Addresses of other nodes that replace those of the cluster. */
  readonly nodeAddresses?: ReadonlyMap<string, NodeAddress> | undefined;
  /** Makes the pool of connections to one node. Connects to nothing yet. */
  readonly connect: (routes: Routes) => ClosableChannelSource;
  /** undefined: each node is asked whether the user is root. */
  readonly sudo?: boolean | undefined;
  /** Absolute paths. */
  readonly transferDirs: readonly string[];
  readonly reserved: ReservedPaths;
  /** Bytes. */
  readonly maxFileSize: number;
  readonly logger: NodeLogger;
  readonly redactor: Cleaner;
  /** The errors for conditions of a call that have nothing to do with its container. @param why as precondition.sh reports it */
  readonly refusal?: (why: string) => AppError | undefined;
  /** Logs the end of a job that this server is the first to see. If omitted, another server does. */
  readonly onJobEnd?: (job: Job) => Promise<void>;
}
