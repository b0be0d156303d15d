import type { ErrorCode } from '../lib/errors.ts';
import type { ContainerAttributes, FileDigest, Precondition, Survivor } from '../remote/remote-types.ts';
import type { Inspection, InspectRequest } from './inspect/inspect-types.ts';
import type { LogPage, LogRequest } from './inspect/log-types.ts';
import type { Job, JobStart, JobsHandle } from './jobs/job-types.ts';
import type { ClusterStatus } from './status/cluster-status.ts';

export type { ClusterStatus } from './status/cluster-status.ts';
export type { NodeState } from './status/parse-status.ts';

export type RunState = 'running' | 'stopped' | 'unknown';

/** One container in the inventory. */
export interface ContainerSummary {
  readonly vmid: number;
  /** `unknown`: its node does not answer. */
  readonly status: RunState;
  readonly name: string;
  /** The lock of the configuration (`backup`, `migrate`, …), or null. */
  readonly lock: string | null;
  readonly node: string;
  /** Whether it is on the entry node. */
  readonly local: boolean;
  /** Why the status could not be read on the node of the container. */
  readonly reason?: string;
  readonly template: boolean;
  readonly tags: readonly string[];
  readonly pool: string | null;
}

/** Usage as its node publishes it every 10 s. Bytes, seconds; cpu as a fraction of all its cores. */
export interface Usage {
  /** How old the figures are; null if that is not known. */
  readonly age_s: number | null;
  readonly uptime_s: number | null;
  readonly cpu: number | null;
  readonly cpus: number | null;
  readonly memory_bytes: number | null;
  readonly memory_max_bytes: number | null;
  readonly disk_bytes: number | null;
  readonly disk_max_bytes: number | null;
}

export interface ContainerStatus extends ContainerSummary {
  /** Running, but all its processes are frozen, so it does not respond. */
  readonly frozen: boolean;
  readonly usage: Usage | null;
}

/** One container in the inventory, with its usage and what its configuration says of its inside. */
export interface ContainerDetails extends ContainerSummary {
  readonly usage: Usage | null;
  /** Type of the operating system, such as `debian`. */
  readonly osType: string | null;
  /** Addresses as configured; `dhcp` and the like as they are. */
  readonly addresses: readonly string[];
}

export interface CapturedStream {
  /** Decoded as UTF-8. If truncated: what `keep` says, and a line with the number of omitted characters. */
  readonly text: string;
  readonly truncated: boolean;
  /** In characters (Unicode code points) of the original output, before truncation, redaction and escaping. */
  readonly originalLength: number;
  /** Lines of the original output; a last line without a newline counts. */
  readonly lines: number;
  /** SHA-256 of the original output, if the options asked for it. */
  readonly digest: string | null;
  /** Number of redacted secrets in the text. */
  readonly redacted: number;
}

export interface CapturedStreams {
  readonly stdout: CapturedStream;
  readonly stderr: CapturedStream;
}

/** The part of an output that is kept if it is longer than the limit. */
export type Keep = 'head' | 'tail' | 'both';

/** The actual result of a command. A non-zero exit code is a result, not an error. */
export interface ExecResult extends CapturedStreams {
  /** null unless `ended` is `exit`. 128 + n if signal n killed the command. */
  readonly exitCode: number | null;
  readonly ended: 'exit' | 'timeout' | 'cancelled' | 'disconnected';
  readonly durationMs: number;
  /** The name of the node, if it is known. */
  readonly node?: string | null;
  /** After a kill: the surviving processes, normally none. null if that could not be verified. */
  readonly survivors: readonly Survivor[] | null;
  /** The command has ended, but its background processes still have its stdout or stderr open. */
  readonly outputHeld: boolean;
  /** Both streams, with at most this many characters together. */
  shorten(characterLimit: number): CapturedStreams;
}

export interface ExecOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Maximum characters of stdout and stderr together. */
  readonly characterLimit: number;
  /** Default: both. */
  readonly keep?: Keep;
  /** Compute the digests of the streams. */
  readonly digest?: true;
  /** Called whenever output arrives, with the number of output bytes so far and the end of the stream that has grown. */
  readonly onOutput?: (totalBytes: number, recent: () => string) => void;
}

export interface UploadOptions {
  /** Absolute or relative to the first transfer directory; confined to the transfer directories. */
  readonly localPath: string;
  /** Absolute path in the container or on the host. */
  readonly remotePath: string;
  /** Three or four octal digits. Omitted: 644 for a new file, unchanged on overwrite. */
  readonly permissions?: string;
  readonly owner?: string;
  readonly group?: string;
  readonly overwrite: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface DownloadOptions {
  readonly remotePath: string;
  readonly localPath: string;
  readonly overwrite: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface TransferResult {
  readonly bytes: number;
  /** Lower-case hex, computed on both sides and compared. */
  readonly sha256: string;
  /** The actual paths: absolute, with symlinks resolved. */
  readonly localPath: string;
  readonly remotePath: string;
  /** Octal mode that the new file has, e.g. `644`. */
  readonly permissions: string;
  readonly overwritten: boolean;
}

/** A file as `stat` shows it. */
export interface FileFacts {
  /** Absolute, with symlinks resolved. */
  readonly path: string;
  readonly size: number;
  /** Octal, e.g. `644`. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** The name, or the number where there is none. */
  readonly owner: string;
  readonly group: string;
  /** Hard links. */
  readonly links: number;
}

export interface ReadOptions {
  /** Absolute path. */
  readonly path: string;
  /** The first line, from 1; a negative number counts from the end. Default: 1. */
  readonly line?: number | undefined;
  readonly lines?: number | undefined;
  /** The first byte, from 0, in place of a line; a negative number counts from the end. */
  readonly offset?: number | undefined;
  readonly bytes?: number | undefined;
  /** Default: base64 if the part contains a NUL byte. */
  readonly encoding?: 'text' | 'base64' | undefined;
  readonly characterLimit: number;
  readonly signal: AbortSignal;
}

/** A part of a file, redacted. */
export interface ReadPart {
  /** `latin1`: the part is not valid UTF-8. */
  readonly encoding: 'utf-8' | 'latin1' | 'base64';
  readonly content: string;
  /** Offsets of the first byte and of the byte after the last. */
  readonly start: number;
  readonly end: number;
  /** null where the number is not known. */
  readonly firstLine: number | null;
  readonly lastLine: number | null;
  readonly totalLines: number | null;
  readonly redacted: number;
  /** Where to continue; null at the end of the file. */
  readonly next: { readonly line: number } | { readonly offset: number } | null;
}

export interface ReadResult extends FileFacts, ReadPart {
  /** Of the whole file; null if it is too large. */
  readonly sha256: string | null;
}

/** An exact replacement in a file. */
export interface Replacement {
  readonly old: string;
  readonly new: string;
  /** Replaces every occurrence; otherwise there must be exactly one. */
  readonly replaceAll: boolean;
}

export interface EditOptions {
  /** Absolute path of a file that exists. */
  readonly path: string;
  /** Either these or a diff. */
  readonly edits?: readonly Replacement[] | undefined;
  readonly diff?: string | undefined;
  /** Lower- or upper-case hex; refuses any other content. */
  readonly expectedSha256?: string | undefined;
  /** A command that must succeed; `{}` stands for the new file before it replaces the old one. */
  readonly validate?: string | undefined;
  readonly characterLimit: number;
  readonly signal: AbortSignal;
}

export interface Validation {
  /** Before the file was replaced, or after. */
  readonly when: 'before' | 'after';
  readonly exitCode: number;
  readonly output: string;
}

/** The facts are those of the new file. */
export interface EditResult extends FileFacts {
  readonly changed: boolean;
  readonly sha256Before: string;
  readonly sha256: string;
  readonly diff: {
    /** Unified and redacted. */
    readonly text: string;
    readonly added: number;
    readonly removed: number;
    readonly cut: boolean;
  };
  readonly validation: Validation | null;
  /** Extended attributes and ACLs; `unknown` where no program in the container shows them. */
  readonly attributes: 'kept' | 'lost' | 'unknown';
}

/** One side of a copy. */
export interface CopyEnd {
  /** null: the node itself. */
  readonly vmid: number | null;
  /** Absolute. */
  readonly path: string;
  readonly precondition: Precondition | null;
}

export interface CopyOptions {
  readonly source: CopyEnd;
  readonly target: CopyEnd;
  readonly overwrite: boolean;
  /** Also copies a directory, with everything in it. */
  readonly recursive: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface CopyResult {
  readonly kind: 'file' | 'directory';
  /** Of the file, or of the tar stream of a directory. */
  readonly bytes: number;
  /** Files, directories and links. */
  readonly entries: number;
  /** Of the file; of names and contents of a directory. Computed on both sides and compared. */
  readonly sha256: string;
  /** With symlinks resolved. */
  readonly sourcePath: string;
  readonly targetPath: string;
  readonly permissions: string;
  readonly uid: number;
  readonly gid: number;
  readonly overwritten: boolean;
}

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
  /** Copies between two containers, or between a container and the node, on the node. */
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

/** Error codes for commands that did not exit by themselves. */
export const ENDED_CODES = {
  timeout: 'TIMEOUT',
  cancelled: 'CANCELLED',
  disconnected: 'DISCONNECTED',
} as const satisfies Record<Exclude<ExecResult['ended'], 'exit'>, ErrorCode>;
