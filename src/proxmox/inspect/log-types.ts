export const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Which lines of a log are read. */
export interface LogFilter {
  /** Absolute path of a file; undefined: the journal. */
  readonly path?: string | undefined;
  readonly unit?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Entries of this priority and of more important ones. */
  readonly priority?: Priority | undefined;
  readonly match?: string | undefined;
  /** `match` is a POSIX extended regular expression, not a fixed string. */
  readonly regex: boolean;
  /** Lines around each match. */
  readonly context: number;
  /** Whether pages begin with the last lines or with the first ones. */
  readonly keep: 'head' | 'tail';
}

export interface LogRequest extends LogFilter {
  /** The most matches of a page. */
  readonly lines: number;
  /** Counts the lines without showing them. */
  readonly countOnly: boolean;
  readonly cursor?: string | undefined;
  /** The most characters of a page. */
  readonly characterLimit: number;
  readonly signal: AbortSignal;
}

export interface LogLine {
  /** In the file; null for the journal, and if reading did not begin at the start of the file. */
  readonly number: number | null;
  readonly text: string;
  /** `context` and `gap` lines surround matches. */
  readonly kind: 'match' | 'context' | 'gap';
  /** The unit whose process wrote the entry of the journal; null if it is unknown or there is none. */
  readonly unit: string | null;
}

/** How many of the counted lines a unit wrote, or a program without one, such as the kernel. */
export interface UnitCount {
  readonly name: string;
  readonly lines: number;
}

/** A file whose name begins like that of the log, such as an older one after a rotation. */
export interface SimilarFile {
  readonly path: string;
  readonly bytes: number | null;
}

export interface LogPage {
  readonly lines: readonly LogLine[];
  /** Lines that match, of all pages; null if they were not counted. */
  readonly total: number | null;
  /** The units with most lines, if lines of the journal were counted. */
  readonly units: readonly UnitCount[];
  /** How many units the lines have; null if they were not counted by unit. */
  readonly unitsTotal: number | null;
  /** How many matching lines precede the page; null if they were not counted. */
  readonly remaining: number | null;
  /** Whether a rotation was detected: the page begins at the start of a new file. */
  readonly rotated: boolean;
  /** Whether the compressed file could not be read to its end. */
  readonly damaged: boolean;
  /** Whether the whole journal has no entry of the unit, which may not exist. */
  readonly isUnitSilent: boolean;
  readonly similar: readonly SimilarFile[];
  /** The cursor for the lines before this page; null if there are none, and for pages from the first line on. */
  readonly older: string | null;
  /** The cursor for the lines after this page, which may not have been written yet; null if there can be none. */
  readonly newer: string | null;
}
