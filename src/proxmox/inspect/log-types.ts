export const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Which lines of a log are read. */
export interface LogFilter {
  /** Absolute path of a file, or a shell pattern of several; undefined: the journal. */
  readonly path?: string | undefined;
  /** Names or patterns of units, with commas between them. */
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
  /** The most matches of a page, or the most groups. */
  readonly lines: number;
  /** Counts the lines without showing more than the first and the last one. */
  readonly countOnly: boolean;
  /** Counts equal lines: `message`, a `TimeUnit`, or `text:PATTERN` for the text that a pattern of `grep -oE` finds. */
  readonly group?: string | undefined;
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

export const TIME_UNITS = ['minute', 'hour', 'day'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

/** Lines that count as equal. */
export interface LogGroup {
  readonly lines: number;
  /** The times of the first line and of the last one, as the log has them; empty if unknown. */
  readonly first: string;
  readonly last: string;
  /** The first of the lines without its time, or what the lines have in common. */
  readonly text: string;
}

export interface LogGroups {
  /** Those with most lines; of units of time the last ones, in order. */
  readonly shown: readonly LogGroup[];
  /** How many groups there are, without those that were dropped. */
  readonly total: number;
  /** Lines of groups that were dropped because there were too many groups. */
  readonly droppedLines: number;
  /** By how much each count may be too low because of that. */
  readonly error: number;
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
  /** The first of all matches if it precedes the page, or if lines were counted. */
  readonly first: LogLine | null;
  /** The last of several matches if lines were counted. */
  readonly last: LogLine | null;
  readonly groups: LogGroups | null;
  /** The files of a pattern, the oldest first. */
  readonly files: readonly SimilarFile[];
  /** How many matching lines precede the page; null if they were not counted. */
  readonly remaining: number | null;
  /** Whether a rotation was detected: the page begins at the start of a new file. */
  readonly rotated: boolean;
  /** Whether the compressed file could not be read to its end. */
  readonly damaged: boolean;
  /** The units of which the whole journal has no entry: they may not exist. */
  readonly silentUnits: readonly string[];
  readonly similar: readonly SimilarFile[];
  /** The cursor for the lines before this page; null if there are none, and for pages from the first line on. */
  readonly older: string | null;
  /** The cursor for the lines after this page, which may not have been written yet; null if there can be none. */
  readonly newer: string | null;
}
