/** A value that is secret, and what it is called in the mark that replaces it: the name of its setting. */
export interface KnownSecret {
  readonly kind: string;
  readonly value: string;
}

/** A part of a cleaned text and what stood there. */
export interface Part {
  readonly shown: string;
  readonly original: string;
  /** `plain` text may be cut anywhere, a mark or an escape only be there or not. */
  readonly what: 'plain' | 'mark' | 'escape';
}

export type Data = Readonly<Record<string, unknown>>;

export interface Cleaned {
  readonly data: Record<string, unknown>;
  /** How many secrets were covered. */
  readonly redacted: number;
}

/**
 * Keeps secrets, and characters that are not to be passed on, out of whatever leaves this process. Everything here
 * may be done twice: what is clean stays as it is.
 */
export interface Redactor {
  /** Makes a further value known, from now on and everywhere. */
  add(kind: string, value: string): void;
  /** For what we say ourselves, in logs and errors: short known values are covered as well. */
  own(text: string): string;
  /** For text from elsewhere where nobody can wait: progress, terminals. Of tokens covers rather too much than too little. */
  show(text: string): string;
  /** For results and the record: every string in it, names of fields excepted. Never rejects. */
  clean(data: Data): Promise<Cleaned>;
  /**
   * For an argument of a call in the audit log, which is evidence of what ran. Known secrets are redacted; of what is
   * recognized by its form, one token of a line at most, without shell metacharacters. All else stays as it is.
   */
  cleanArgument(text: string): Promise<string>;
  /** The parts of a text, for who must cut it. */
  parts(text: string): Promise<readonly Part[]>;
  /** UTF-16 units to keep on the far side of a cut, so that no known value is cut in two before it is found. */
  readonly overlap: number;
}
