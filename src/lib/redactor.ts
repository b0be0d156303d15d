/** A secret value, and its name in placeholders, which is the name of its setting. */
export interface KnownSecret {
  readonly kind: string;
  readonly value: string;
}

/** A part of a redacted text, with the original. */
export interface Part {
  readonly shown: string;
  readonly original: string;
  /** `plain` text can be cut anywhere; a placeholder or an escape must be kept whole or dropped. */
  readonly what: 'plain' | 'placeholder' | 'escape';
}

export type Data = Readonly<Record<string, unknown>>;

export interface Cleaned {
  readonly data: Record<string, unknown>;
  /** The number of redacted secrets. */
  readonly redacted: number;
}

/**
 * Removes secrets and unsafe characters from everything that leaves this process. Every method is idempotent.
 */
export interface Redactor {
  /** Adds a secret value, which is redacted from now on. */
  add(kind: string, value: string): void;
  /** For this program's own messages in logs and errors: short known values are redacted as well. */
  own(text: string): string;
  /** For other text where the caller cannot wait: progress, terminals. Redacts too many tokens rather than too few. */
  show(text: string): string;
  /** For results: redacts every string except field names. Never rejects. */
  clean(data: Data): Promise<Cleaned>;
  /**
   * For arguments of a call in the audit log, which must show what ran. Known secrets are redacted. Of the strings that only look
   * like secrets, at most one token per line without shell metacharacters is redacted.
   */
  cleanArgument(text: string): Promise<string>;
  /** The parts of a text, for a caller that must cut it. */
  parts(text: string): Promise<readonly Part[]>;
  /** UTF-16 units to keep beyond a cut, so that no known value is split before it is redacted. */
  readonly overlap: number;
}
