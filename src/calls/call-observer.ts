/** The outcome of one call, for metrics. */
export interface CallReport {
  readonly tool: string;
  /** `ok`, or the error code. A command with a non-zero exit code is `ok`, because it did run. */
  readonly outcome: string;
  readonly durationMs: number;
  /** The result of the tool; undefined if it threw or was not called. */
  readonly data: Readonly<Record<string, unknown>> | undefined;
}

/** Called after every call. Must not throw, and must not keep the data. */
export interface CallObserver {
  called(report: CallReport): void;
}
