import type { ContainerAttributes, FileDigest, Precondition } from '../remote/remote-types.ts';
import type { ExecOptions, ExecResult } from './exec/exec-types.ts';
import type {
  CopyOptions,
  CopyResult,
  EditOptions,
  EditResult,
  ReadOptions,
  ReadResult,
} from './files/file-types.ts';
import type { Inspection, InspectRequest } from './inspect/inspect-types.ts';
import type { LogPage, LogRequest } from './inspect/log-types.ts';
import type { ContainerDetails, ContainerStatus, ContainerSummary } from './inventory/inventory-types.ts';
import type { Job, JobStart, JobsHandle } from './jobs/job-types.ts';
import type { ClusterStatus } from './status/read-cluster-status.ts';
import type { DownloadOptions, TransferResult, UploadOptions } from './transfer/transfer-types.ts';

/*
 * What the layers above use of a cluster: its handles, with the options and results of their methods.
 */

export type * from './exec/exec-types.ts';
export type * from './files/file-types.ts';
export type * from './inventory/inventory-types.ts';
export type { NodeState } from './status/parse-status.ts';
export type { ClusterStatus } from './status/read-cluster-status.ts';
export type * from './transfer/transfer-types.ts';

/** A target of commands and transfers: a container, or the node itself. Throws AppError. */
export interface ExecTarget {
  /** For messages: `container 101` or `the Proxmox host`. */
  readonly label: string;
  exec(command: string, options: ExecOptions): Promise<ExecResult>;
  /**
   * Starts a command as a job, which continues when the call has ended. Resolves when the command has started.
   * @throws AppError if it did not start
   */
  startJob(command: string, options: JobStart): Promise<Job>;
  upload(options: UploadOptions): Promise<TransferResult>;
  download(options: DownloadOptions): Promise<TransferResult>;
}

export interface LifeCycleResult {
  /** false: it was already in the requested state, so nothing was done. */
  readonly changed: boolean;
  /** How the container was stopped: by a clean shutdown or by a kill. */
  readonly how?: 'shutdown' | 'killed';
  readonly durationMs: number;
  /** Of a container that runs; absent if they could not be read. */
  readonly addresses?: Addresses;
}

export interface Addresses {
  /** Like `192.168.1.21/24 eth0`. */
  readonly found: readonly string[];
  /** Whether the configuration of the container has an interface with an address. */
  readonly isExpected: boolean;
}

export interface ContainerHandle extends ExecTarget {
  readonly vmid: number;
  status(signal: AbortSignal): Promise<ContainerStatus>;
  readFile(options: ReadOptions): Promise<ReadResult>;
  editFile(options: EditOptions): Promise<EditResult>;
  /** A page of a log, filtered in the container. */
  readLog(request: LogRequest): Promise<LogPage>;
  /** Resolves when the container is running. */
  start(signal: AbortSignal): Promise<LifeCycleResult>;
  /** Resolves when the container is stopped. */
  stop(options: { timeoutS: number; force: boolean; signal: AbortSignal }): Promise<LifeCycleResult>;
}

/** The cluster as seen through an entry node. Connects on first use. */
export interface ClusterHandle {
  /** Number of open connections to all nodes. */
  readonly connections: number;
  /** One round trip to the node. @throws AppError with the reason if it fails */
  reach(signal: AbortSignal): Promise<void>;
  /** The state of all nodes. @throws AppError if no entry node can be read */
  status(signal: AbortSignal): Promise<ClusterStatus>;
  list(signal: AbortSignal, guard?: Precondition | null): Promise<readonly ContainerSummary[]>;
  /** Like `list`, with more about each container, in one round trip as well. */
  listDetails(signal: AbortSignal, guard?: Precondition | null): Promise<readonly ContainerDetails[]>;
  /**
   * The attributes of a container that rules can match, from the cache if possible, or `again` from the node. undefined: they
   * cannot be read in time.
   * @throws AppError CONTAINER_NOT_FOUND, NOT_A_CONTAINER, CANCELLED
   */
  guest(vmid: number, signal: AbortSignal, look?: 'again'): Promise<ContainerAttributes | undefined>;
  /**
   * Whether this server runs in a container. Costs a round trip after each connect to the node of the container.
   * @throws AppError where that node cannot be reached; CANCELLED
   */
  isOwnContainer(vmid: number, signal: AbortSignal): Promise<boolean>;
  /**
   * Size and hash of the bytes that an upload of a local file would send.
   * @throws AppError like an upload that cannot read its source
   */
  localFile(localPath: string): Promise<FileDigest>;
  /** Facts about running containers, in one round trip to their node. Changes nothing. */
  inspect(request: InspectRequest): Promise<Inspection>;
  /** Makes no round trip: whether the container exists is checked when it is used. */
  container(vmid: number, guard?: Precondition | null): ContainerHandle;
  /** Copies between two containers, or between a container and the node. */
  copy(options: CopyOptions): Promise<CopyResult>;
  /** Marks an approval as used on a node; on the entry node if it is null. @throws AppError APPROVAL_USED, or if the node cannot be used */
  redeem(approvalId: string, node: string | null, signal: AbortSignal): Promise<void>;
  /** The name of the entry node that serves, if HOST names several, otherwise null. @throws AppError if none can be read */
  entryName(signal: AbortSignal): Promise<string | null>;
  /** The node itself. The caller has checked that host access is allowed. */
  host(guard?: Precondition | null): ExecTarget;
  readonly jobs: JobsHandle;
  /** Kills running commands, verifies it and closes the connections, within `withinMs`. Jobs continue. */
  close(withinMs: number): Promise<void>;
}
