/** A secret value, and the name of its setting, which its placeholder contains. */
export interface KnownSecret {
  readonly kind: string;
  readonly value: string;
}

/** A part of a redacted text and the original text. */
export interface Part {
  readonly shown: string;
  readonly original: string;
  /** `plain` text may be truncated anywhere; a placeholder or an escape must be kept completely or omitted. */
  readonly what: 'plain' | 'placeholder' | 'escape';
}

export type Data = Readonly<Record<string, unknown>>;

export interface Cleaned {
  readonly data: Record<string, unknown>;
  /** Number of redacted secrets. */
  readonly redacted: number;
}

/**
 * Redacts secrets and escapes unsafe characters in all output of this process. All methods are idempotent.
 */
export interface Redactor {
  /** Adds a secret value that all methods redact from now on. */
  add(kind: string, value: string): void;
  /** For this program's own messages in logs and errors: short known values are redacted as well. */
  own(text: string): string;
  /** For other text if the caller cannot wait: progress, terminals. May redact text that is not a token. */
  show(text: string): string;
  /** For results: redacts all strings except field names. Never rejects. */
  clean(data: Data): Promise<Cleaned>;
  /**
   * For an argument of a call in the audit log, which must show what ran. Known secrets are redacted. Of text that looks like a
   * secret, at most one token without shell metacharacters is redacted. All other text is unchanged.
   */
  cleanArgument(text: string): Promise<string>;
  /** The parts of a text, for callers that truncate it. */
  parts(text: string): Promise<readonly Part[]>;
  /** UTF-16 units that must be kept beyond a cut, so that a known value at the cut is found completely. */
  readonly overlap: number;
}
