import type { ContainerAttributes } from '../../remote/remote-types.ts';
import type { Effect } from '../../tools/tool.ts';
import type { Outcome } from '../policy/policy-types.ts';

/** The data that is logged before a call runs. */
export interface AuditBegin {
  readonly caller: string;
  readonly tool: string;
  /** For all effects except `read`, the entry is on the disk before the result of the call is returned. */
  readonly effect: Effect;
  readonly vmid: number | null;
  /** Name and node of the container, if the decision has read them. */
  readonly guest: Pick<ContainerAttributes, 'name' | 'node'> | null;
  /** As received from the client, valid or not; the audit log redacts and shortens them. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly outcome: Outcome;
  readonly rule: string;
  /** Id of the approval, if the call needed one. */
  readonly approval: string | null;
}

/** The data that is logged when a call has ended. */
export interface AuditEnd {
  /** `ok`, or the error code. */
  readonly code: string;
  readonly exitCode: number | null;
  readonly bytes: number | null;
  /** The text of the result that the client gets; its SHA-256 is logged. */
  readonly resultText: string;
  readonly durationMs: number;
  /** Processes that survived a kill; null if there was no kill, or it could not be verified. */
  readonly survivors: number | null;
}

export interface AuditLog {
  /** Resolves when the call is logged. @throws AppError AUDIT_UNAVAILABLE: the call must not run then */
  begin(entry: AuditBegin): Promise<AuditCall>;
  /**
   * Logs a refused call: missing scope, invalid, denied, or waiting for approval. Never rejects, because the call is refused
   * anyway.
   * @param code the error code that the client gets
   */
  refused(entry: AuditBegin, code: string): Promise<void>;
  /** Waits briefly for calls that are about to end, then closes the audit log. Never rejects. */
  close(): Promise<void>;
}

export interface AuditCall {
  /** The call's id in the audit log. */
  readonly id: string;
  /** Never rejects. An entry that cannot be written is kept and written later; until then, calls are refused. */
  end(entry: AuditEnd): Promise<void>;
}
