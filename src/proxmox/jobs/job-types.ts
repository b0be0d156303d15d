import type { Survivor } from '../../remote/remote-types.ts';
import type { CapturedStreams, ExecOptions } from '../proxmox-types.ts';

/** What is recorded on the node when a job starts. */
export interface JobAbout {
  /** The tool and the caller that started it. */
  readonly tool: string;
  readonly caller: string;
  /** null for a job on the node itself. */
  readonly vmid: number | null;
  readonly command: string;
  readonly timeoutS: number;
  /** The time of the start in ms since the epoch, by the clock of the server that started the job. */
  readonly startedAt: number;
  /** Id of the approval that the start redeemed. */
  readonly approval: string | null;
}

/**
 * How a job ended. `exit`: by itself; `timeout` and `cancelled`: it was killed; `stopped`: its supervisor on the node was
 * stopped, and it was killed; `lost`: its supervisor was killed and recorded nothing; `rebooted`: the node was restarted.
 */
export type JobEnding = 'exit' | 'timeout' | 'cancelled' | 'stopped' | 'lost' | 'rebooted';

export interface JobEnd {
  readonly how: JobEnding;
  /** Of the command; null if it is unknown or the command was killed. */
  readonly exitCode: number | null;
  /** Processes that a kill left, normally none; null if unknown. */
  readonly survivors: readonly Survivor[] | null;
  /** Whether background processes of the command still have its output streams open. */
  readonly outputHeld: boolean;
  /** What lxc-attach returned; null if unknown. */
  readonly attachCode: number | null;
}

export type JobStream = 'stdout' | 'stderr';

/** The output of one stream, in bytes. */
export interface JobOutputSize {
  readonly total: number;
  /** Bytes of the middle that were dropped because of JOB_OUTPUT_LIMIT. */
  readonly dropped: number;
}

/** The state of a job when it was read from the node. */
export interface Job extends JobAbout {
  readonly id: string;
  readonly state: 'running' | 'ended';
  /** Whether the command itself has started, as opposed to the program that enters the container. */
  readonly began: boolean;
  /** null while it is running. */
  readonly end: JobEnd | null;
  /** How long it has run; null if unknown. Not affected by changes of the clock. */
  readonly durationMs: number | null;
  readonly output: Readonly<Record<JobStream, JobOutputSize>>;
  /** Whether the disk of the node was full, so that the output is incomplete. */
  readonly diskFull: boolean;
}

/** A part of the output of one stream. Offsets are in bytes and never inside of a character. */
export interface JobPage {
  readonly text: string;
  readonly redacted: number;
  readonly from: number;
  /** Where the next page begins. */
  readonly next: number;
  /** Bytes of output so far that follow this page. */
  readonly remaining: number;
}

export interface JobStart {
  readonly tool: string;
  readonly caller: string;
  readonly approval: string | null;
  readonly timeoutS: number;
  /** Maximum bytes of output that are kept, stdout and stderr together. */
  readonly outputLimit: number;
  readonly signal: AbortSignal;
}

export interface JobCapture extends CapturedStreams {
  readonly job: Job;
  /** Both streams, with at most this many characters together. */
  shorten(characterLimit: number): CapturedStreams;
}

export type JobCaptureOptions = Pick<ExecOptions, 'characterLimit' | 'keep' | 'signal'>;

/** The part of the output to read: from an offset, the last bytes, or the last lines that contain a text. */
export type JobPart =
  | { readonly from: number; readonly bytes: number }
  | { readonly last: number }
  | { readonly match: string };

export interface JobList {
  readonly jobs: readonly Job[];
  /** Nodes whose jobs are missing, because they cannot be reached. */
  readonly unreachable: readonly string[];
}

/** The jobs of the cluster. All methods throw AppError. */
export interface JobsHandle {
  /** All jobs, of all callers. @throws AppError if no node answers */
  list(signal: AbortSignal): Promise<JobList>;
  /** @throws AppError JOB_NOT_FOUND */
  get(id: string, signal: AbortSignal): Promise<Job>;
  /** Waits until the job has ended, `news` returns true for it, or the time is over. */
  wait(id: string, options: JobWait): Promise<Job>;
  /** Both streams together, with at most `characterLimit` characters. */
  capture(id: string, options: JobCaptureOptions): Promise<JobCapture>;
  read(id: string, stream: JobStream, part: JobPart, signal: AbortSignal): Promise<JobPage>;
  /** Kills the processes of a job and verifies it. Changes nothing if it has ended. */
  cancel(id: string, signal: AbortSignal): Promise<Job>;
}

export interface JobWait {
  readonly withinMs: number;
  readonly signal: AbortSignal;
  readonly news: (job: Job) => boolean;
}
