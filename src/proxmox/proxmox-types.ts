import type { ErrorCode } from '../lib/errors.ts';
import type { ContainerAttributes, FileDigest, Precondition, Survivor } from '../remote/remote-types.ts';

export type RunState = 'running' | 'stopped' | 'unknown';

/** One container as the inventory sees it. */
export interface ContainerSummary {
  readonly vmid: number;
  /** `unknown`: lives on another node that has published no state in the last minutes. */
  readonly status: RunState;
  readonly name: string;
  /** The lock of the configuration (`backup`, `migrate`, …), or null. */
  readonly lock: string | null;
  readonly node: string;
  /** Lives on the node that we are connected to. */
  readonly local: boolean;
  readonly template: boolean;
  readonly tags: readonly string[];
  readonly pool: string | null;
}

/** Usage as the cluster publishes it, about 10 s old. Bytes, seconds; cpu as a fraction of all its cores. */
export interface Usage {
  readonly uptime_s: number | null;
  readonly cpu: number | null;
  readonly cpus: number | null;
  readonly memory_bytes: number | null;
  readonly memory_max_bytes: number | null;
  readonly disk_bytes: number | null;
  readonly disk_max_bytes: number | null;
}

export interface ContainerStatus extends ContainerSummary {
  /** Running, but all its processes are frozen: nothing that is sent to it will answer. */
  readonly frozen: boolean;
  readonly usage: Usage | null;
}

export interface CapturedStream {
  /** Decoded as UTF-8; where it was cut, head and tail around a line that counts what is missing. */
  readonly text: string;
  readonly truncated: boolean;
  /** In characters (Unicode code points) as they came: before any cut, before secrets were covered and controls shown. */
  readonly originalLength: number;
  /** Secrets that were covered in the text. */
  readonly redacted: number;
}

/** What really happened to a command. A non-zero exit is a result, not an error. */
export interface ExecResult {
  readonly stdout: CapturedStream;
  readonly stderr: CapturedStream;
  /** null unless `ended` is `exit`. 128 + n when the command died of signal n. */
  readonly exitCode: number | null;
  readonly ended: 'exit' | 'timeout' | 'cancelled' | 'disconnected';
  readonly durationMs: number;
  /** After a kill: what still runs, normally nothing. null when nobody could look. */
  readonly survivors: readonly Survivor[] | null;
  /** The command is over, but processes that it left behind still hold its stdout or stderr. */
  readonly outputHeld: boolean;
}

export interface ExecOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Characters of stdout and stderr together. */
  readonly characterLimit: number;
  /** Told at most a few times a second how many bytes of output have come so far. */
  readonly onOutput?: (totalBytes: number) => void;
}

export interface UploadOptions {
  /** Absolute or relative to the first transfer directory; confined to the transfer directories. */
  readonly localPath: string;
  /** Absolute path on the far side. */
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
  /** Lower-case hex; computed on both ends, and equal. */
  readonly sha256: string;
  /** Where it really came from and went: absolute, symlinks resolved. */
  readonly localPath: string;
  readonly remotePath: string;
  /** Octal mode that the new file has, e.g. `644`. */
  readonly permissions: string;
  readonly overwritten: boolean;
}

/** A place where commands run and files travel: a container, or the node itself. Throws AppError. */
export interface ExecTarget {
  /** For messages: `container 101` or `the Proxmox host`. */
  readonly label: string;
  exec(command: string, options: ExecOptions): Promise<ExecResult>;
  upload(options: UploadOptions): Promise<TransferResult>;
  download(options: DownloadOptions): Promise<TransferResult>;
}

export interface LifeCycleResult {
  /** false: it already was in the wanted state and nothing was done. */
  readonly changed: boolean;
  /** How a stop came about: it obeyed the shutdown request, or it was killed. */
  readonly how?: 'shutdown' | 'killed';
  readonly durationMs: number;
}

export interface ContainerHandle extends ExecTarget {
  readonly vmid: number;
  status(signal: AbortSignal): Promise<ContainerStatus>;
  /** Resolves when the container runs. */
  start(signal: AbortSignal): Promise<LifeCycleResult>;
  /** Resolves when the container is down. */
  stop(options: { timeoutS: number; force: boolean; signal: AbortSignal }): Promise<LifeCycleResult>;
}

/** The cluster as seen from the node that we log in to. Connects on first use. */
export interface ClusterHandle {
  /** How many connections to the node are up. */
  readonly connections: number;
  /** One round trip to the node. @throws AppError that says what stands in the way */
  reach(signal: AbortSignal): Promise<void>;
  list(signal: AbortSignal, guard?: Precondition | null): Promise<readonly ContainerSummary[]>;
  /**
   * What rules may ask about a container, as it was when the cluster was last looked at: costs no round trip once the
   * container is known, unless told to look `again`. undefined: it can't be read in time.
   * @throws AppError CONTAINER_NOT_FOUND, NOT_A_CONTAINER, CANCELLED
   */
  guest(vmid: number, signal: AbortSignal, look?: 'again'): Promise<ContainerAttributes | undefined>;
  /**
   * The containers that this server runs in: none or one. Costs a round trip after each connect.
   * @throws AppError where the node cannot be reached; CANCELLED
   */
  ownContainers(signal: AbortSignal): Promise<ReadonlySet<number>>;
  /**
   * The bytes of a local file as an upload would send them.
   * @throws AppError as an upload does that can't read its source
   */
  localFile(localPath: string): Promise<FileDigest>;
  /** Makes no round trip; whether the container exists shows when it is used. */
  container(vmid: number, guard?: Precondition | null): ContainerHandle;
  /** The node itself. The caller has checked that host access is allowed. */
  host(guard?: Precondition | null): ExecTarget;
  /** Kills what runs, verifies it and closes the connections; done within `withinMs`. */
  close(withinMs: number): Promise<void>;
}

/** Codes with which an exec result that did not end in an exit is reported. */
export const ENDED_CODES = {
  timeout: 'TIMEOUT',
  cancelled: 'CANCELLED',
  disconnected: 'DISCONNECTED',
} as const satisfies Record<Exclude<ExecResult['ended'], 'exit'>, ErrorCode>;
