import type { ErrorCode } from '../../lib/errors.ts';
import type { Survivor } from '../../remote/remote-types.ts';

export interface CapturedStream {
  /** Decoded as UTF-8. If truncated: the part that `keep` selects, and a line with the number of omitted characters. */
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
  /** If the exit code is unknown: a sentence about a limit that the container or the node has reached. */
  readonly cause?: string | null;
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

/** Error codes for commands that did not exit by themselves. */
export const ENDED_CODES = {
  timeout: 'TIMEOUT',
  cancelled: 'CANCELLED',
  disconnected: 'DISCONNECTED',
} as const satisfies Record<Exclude<ExecResult['ended'], 'exit'>, ErrorCode>;
