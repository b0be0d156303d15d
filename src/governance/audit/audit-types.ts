import type { ContainerAttributes } from '../../remote/remote-types.ts';
import type { Effect } from '../../tools/tool.ts';
import type { Outcome } from '../policy/policy-types.ts';

/** What is on record before anything happens. */
export interface AuditBegin {
  readonly caller: string;
  readonly tool: string;
  /** Of a call with any effect but `read` the record is on the disk before the call is made, not only with the kernel. */
  readonly effect: Effect;
  readonly vmid: number | null;
  /** Name and node of the container, where the decision has looked them up. */
  readonly guest: Pick<ContainerAttributes, 'name' | 'node'> | null;
  /** As they were given, valid or not; the trail redacts and shortens them. */
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
  /** The text of the result as the client gets it; on record is its SHA-256. */
  readonly resultText: string;
  readonly durationMs: number;
  /** Processes that survived a kill; null when there was no kill, or nobody could look. */
  readonly survivors: number | null;
}

export interface AuditLog {
  /** Resolves when the call is on record. @throws AppError AUDIT_UNAVAILABLE: then the call must not be made. */
  begin(entry: AuditBegin): Promise<AuditCall>;
  /**
   * One record of a call that is not made: no right, invalid, denied, or waiting for a confirmation. Never rejects, for the
   * call is refused either way.
   * @param code of the failure that the client is told
   */
  refused(entry: AuditBegin, code: string): Promise<void>;
  /** Waits a moment for calls that are about to end, and closes the record. Never rejects. */
  close(): Promise<void>;
}

export interface AuditCall {
  /** Names the call in the record. */
  readonly id: string;
  /** Never rejects: what was done is done. A record that can't be written is logged and kept, and later calls are refused. */
  end(entry: AuditEnd): Promise<void>;
}
