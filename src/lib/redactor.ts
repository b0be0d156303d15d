/** A secret value, and its name in the placeholder that replaces it: that of its setting. */
export interface KnownSecret {
  readonly kind: string;
  readonly value: string;
}

/** A part of a cleaned text and what stood there. */
export interface Part {
  readonly shown: string;
  readonly original: string;
  /** `plain` text may be cut anywhere; a placeholder or an escape is kept whole or left out. */
  readonly what: 'plain' | 'placeholder' | 'escape';
}

export type Data = Readonly<Record<string, unknown>>;

export interface Cleaned {
  readonly data: Record<string, unknown>;
  /** How many secrets were redacted. */
  readonly redacted: number;
}

/**
 * Removes secrets and unsafe characters from everything that leaves this process. Every method is idempotent.
 */
export interface Redactor {
  /** Makes a further value known, from now on and everywhere. */
  add(kind: string, value: string): void;
  /** For this program's own messages in logs and errors: short known values are redacted as well. */
  own(text: string): string;
  /** For other text where the caller cannot wait: progress, terminals. Redacts too many tokens rather than too few. */
  show(text: string): string;
  /** For results: every string in it, except names of fields. Never rejects. */
  clean(data: Data): Promise<Cleaned>;
  /**
   * For an argument of a call in the audit log, which is evidence of what ran. Known secrets are redacted; of what is
   * recognized by its form, one token of a line at most, without shell metacharacters. All else stays as it is.
   */
  cleanArgument(text: string): Promise<string>;
  /** The parts of a text, for a caller that must cut it. */
  parts(text: string): Promise<readonly Part[]>;
  /** UTF-16 units to keep beyond a cut, so that no known value is cut in two before it is found. */
  readonly overlap: number;
}
