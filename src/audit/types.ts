import type { Outcome } from '../policy/types.ts';

/** What is on record before anything happens. */
export interface AuditBegin {
  readonly caller: string;
  readonly tool: string;
  readonly vmid: number | null;
  readonly args: Readonly<Record<string, unknown>>;
  readonly outcome: Outcome;
  readonly rule: string;
  /** Id of the approval that a confirmed call rests on. */
  readonly approval: string | null;
}

/** What is on record about how it went. */
export interface AuditEnd {
  /** `ok`, or the code of the failure. */
  readonly code: string;
  readonly exitCode: number | null;
  readonly bytes: number | null;
  /** Lower-case hex SHA-256 of the result as the client gets it. */
  readonly resultSha256: string;
  readonly durationMs: number;
  /** Processes that survived a kill; null when there was no kill, or nobody could look. */
  readonly survivors: number | null;
}

export interface AuditTrail {
  /** Resolves when the record is on disk. @throws AppError AUDIT_UNAVAILABLE: then the call must not be made. */
  begin(entry: AuditBegin): Promise<AuditCall>;
  close(): Promise<void>;
}

export interface AuditCall {
  readonly id: string;
  /** Never rejects: what was done is done. A record that can't be written is logged, and later calls are refused. */
  end(entry: AuditEnd): Promise<void>;
}
