import { shortToolName } from '../../lib/tool-name.ts';
import { type AuditEntry, type EntryOf, parseEntry } from './audit-entry.ts';

/** A call in the audit log. */
export interface LoggedCall {
  readonly begun: EntryOf<'begin' | 'refused'>;
  /** undefined: it was refused, still runs, or its process died. */
  readonly end: EntryOf<'end'> | undefined;
  /** The lines of its entries. */
  readonly lines: readonly string[];
}

/** The meaning of a line, given the lines before it. */
export type News =
  | { readonly kind: 'begun' | 'over'; readonly call: LoggedCall }
  | { readonly kind: 'other'; readonly record: AuditEntry; readonly line: string }
  | { readonly kind: 'unreadable' };

/** Combines begin and end entries to calls, line by line. */
export class CallCollector {
  readonly #running = new Map<string, LoggedCall>();

  add(line: string): News {
    const record = parseEntry(line);
    if (record === undefined) return { kind: 'unreadable' };
    if (record.type === 'refused') {
      return { kind: 'over', call: { begun: record, end: undefined, lines: [line] } };
    }
    if (record.type === 'begin') {
      const call = { begun: record, end: undefined, lines: [line] };
      this.#running.set(record.call, call);
      return { kind: 'begun', call };
    }
    const begun = record.type === 'end' ? this.#running.get(record.call) : undefined;
    if (record.type !== 'end' || begun === undefined) return { kind: 'other', record, line };
    this.#running.delete(record.call);
    return { kind: 'over', call: { ...begun, end: record, lines: [...begun.lines, line] } };
  }
}

export interface CallFilter {
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** With or without `proxmox_`. */
  readonly tool?: string | undefined;
  readonly vmid?: number | undefined;
  readonly caller?: string | undefined;
  /** A decision (`deny`) or a result (`ok`, `TIMEOUT`). */
  readonly outcome?: string | undefined;
  /** The first characters of the process id (session). */
  readonly session?: string | undefined;
  /** Only calls that were refused, failed, exited non-zero or never ended. */
  readonly failed: boolean;
}

export function matches(call: LoggedCall, filter: CallFilter): boolean {
  const { begun } = call;
  const at = Date.parse(begun.at);
  const { since, until, tool, vmid, caller, session } = filter;
  return (
    (since === undefined || at >= since.getTime()) &&
    (until === undefined || at <= until.getTime()) &&
    (tool === undefined || shortToolName(begun.tool) === shortToolName(tool)) &&
    (vmid === undefined || begun.vmid === vmid) &&
    (caller === undefined || begun.caller === caller) &&
    (session === undefined || begun.session.startsWith(session)) &&
    hasOutcome(call, filter.outcome) &&
    (!filter.failed || hasFailed(call))
  );
}

/** Whether the filter needs the end of a call. */
export function asksForEnd({ outcome, failed }: CallFilter): boolean {
  return failed || outcome !== undefined;
}

/** `ok` or the error code; undefined if the log has no end of the call. */
export function codeOf({ begun, end }: LoggedCall): string | undefined {
  return begun.type === 'refused' ? begun.code : end?.code;
}

export function hasFailed(call: LoggedCall): boolean {
  return codeOf(call) !== 'ok' || (call.end?.exitCode ?? 0) !== 0;
}

function hasOutcome(call: LoggedCall, outcome: string | undefined): boolean {
  if (outcome === undefined) return true;
  const wanted = outcome.toLowerCase();
  return call.begun.outcome === wanted || codeOf(call)?.toLowerCase() === wanted;
}
