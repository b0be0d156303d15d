/** How one call went, for those who count. */
export interface CallReport {
  readonly tool: string;
  /** `ok`, or the code of the failure. A command that exits with another code than 0 is `ok`: it did run. */
  readonly outcome: string;
  readonly durationMs: number;
  /** What the tool answered; undefined when it did not come to answer. */
  readonly data: Readonly<Record<string, unknown>> | undefined;
}

/** Told of every call when it is over. Must not throw, and must not keep what it is shown. */
export interface CallObserver {
  called(report: CallReport): void;
}
