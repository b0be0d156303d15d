import type { CallToolResult } from '@modelcontextprotocol/server';
import type { AuditBegin, AuditEnd } from '../governance/audit/audit-types.ts';
import type { Decision } from '../governance/policy/policy-types.ts';
import type { ServerDeps } from './call-deps.ts';
import type { ToolCall } from './pipeline.ts';

/** What is known of a call for the record before anything was decided: then its arguments are what may be wrong. */
export function opened({ tool, caller, args }: ToolCall): AuditBegin {
  return {
    caller: caller.name,
    tool: tool.name,
    effect: tool.effect,
    vmid: vmidOf(args.vmid),
    guest: null,
    args,
    outcome: 'deny',
    rule: 'INVALID_INPUT',
    approval: null,
  };
}

/** The arguments may not be valid yet; digits do for a number there. */
function vmidOf(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null;
}

export function decided(entry: AuditBegin, { outcome, rule, guest }: Decision): AuditBegin {
  return { ...entry, outcome, rule, guest };
}

/** Puts a call on record that is not made. It is refused either way, so that can't fail. */
export async function recordRefusal(deps: ServerDeps, entry: AuditBegin, code: string): Promise<void> {
  try {
    const trail = await deps.audit();
    await trail.refused(entry, code);
  } catch (error) {
    deps.logger.error({ error, tool: entry.tool, code }, 'a refused call could not be put on record');
  }
}

/** What is on record of how a call went: taken from the tool's answer by names that mean the same in every tool. */
export function endOf(
  ending: {
    readonly result: CallToolResult;
    readonly code: string;
    readonly data: Readonly<Record<string, unknown>> | undefined;
  },
  durationMs: number,
): AuditEnd {
  const data = ending.data ?? {};
  const number = (value: unknown) => (typeof value === 'number' ? value : null);
  return {
    code: ending.code,
    exitCode: number(data.exit_code),
    bytes: number(data.bytes_transferred),
    resultText: ending.result.content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    durationMs: Math.round(durationMs),
    survivors: Array.isArray(data.survivors) && data.ended !== 'exit' ? data.survivors.length : null,
  };
}
