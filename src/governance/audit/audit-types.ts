import type { ContainerAttributes } from '../../remote/remote-types.ts';
import type { Effect } from '../../tools/tool.ts';
import type { Outcome } from '../policy/policy-types.ts';

/** What is logged before anything happens. */
export interface AuditBegin {
  readonly caller: string;
  readonly tool: string;
  /** With any effect but `read`, the entry is on the disk before the result of the call is returned. */
  readonly effect: Effect;
  readonly vmid: number | null;
  /** Name and node of the container, where the decision has looked them up. */
  readonly guest: Pick<ContainerAttributes, 'name' | 'node'> | null;
  /** As the client gave them, valid or not; the audit log redacts and shortens them. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly outcome: Outcome;
  readonly rule: string;
  /** Id of the approval that a confirmed call rests on. */
  readonly approval: string | null;
}

/** What is logged when the call has ended. */
export interface AuditEnd {
  /** `ok`, or the code of the failure. */
  readonly code: string;
  readonly exitCode: number | null;
  readonly bytes: number | null;
  /** The text of the result as the client gets it; its SHA-256 is logged. */
  readonly resultText: string;
  readonly durationMs: number;
  /** Processes that survived a kill; null when there was no kill, or it could not be checked. */
  readonly survivors: number | null;
}

export interface AuditLog {
  /** Resolves when the call is logged. @throws AppError AUDIT_UNAVAILABLE: then the call must not be made. */
  begin(entry: AuditBegin): Promise<AuditCall>;
  /**
   * Logs a call that is not made: missing scope, invalid, denied, or waiting for approval. Never rejects, because the call is
   * refused either way.
   * @param code of the failure that the client is told
   */
  refused(entry: AuditBegin, code: string): Promise<void>;
  /** Waits a moment for calls that are about to end, and closes the audit log. Never rejects. */
  close(): Promise<void>;
}

export interface AuditCall {
  /** The call's id in the audit log. */
  readonly id: string;
  /** Never rejects. An entry that cannot be written is kept and written later; until then, calls are refused. */
  end(entry: AuditEnd): Promise<void>;
}
