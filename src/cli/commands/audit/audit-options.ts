import { text } from 'node:stream/consumers';
import * as z from 'zod/v4';
import type { CallFilter } from '../../../governance/audit/call-history.ts';
import type { VerifyOptions } from '../../../governance/audit/verify-dir.ts';
import { UsageError } from '../../usage-error.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The calls that options ask for. @throws UsageError */
export function parseFilter(options: Readonly<Record<string, string | undefined>>, now: Date): CallFilter {
  const { tool, caller, outcome, session } = options;
  return {
    since: momentOf('since', options.since, now),
    until: momentOf('until', options.until, now),
    tool,
    vmid: numberOf('vmid', options.vmid),
    caller,
    outcome,
    // The name of a segment holds the id of its process.
    session: /-([0-9a-f]{12})-\d+(?:\.jsonl)?$/.exec(session ?? '')?.[1] ?? session,
    failed: options.failed === 'true',
  };
}

/**
 * The call that --call names and the arguments that it is claimed to have had.
 * @param json a JSON object, or `-` for standard input
 * @throws UsageError
 */
export async function claimOf(
  call: string | undefined,
  json: string | undefined,
): Promise<VerifyOptions['claim']> {
  if (call === undefined && json === undefined) return undefined;
  if (call === undefined || json === undefined)
    throw new UsageError('--call and --arguments are needed together');
  const parsed = z
    .record(z.string(), z.unknown())
    .safeParse(parse(json === '-' ? await text(process.stdin) : json));
  if (!parsed.success) throw new UsageError('--arguments is not a JSON object');
  return { call, args: parsed.data };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** `90s`, `30m`, `2h`, `7d`: so long ago; otherwise a date, with a time of day or without, local unless it says more. */
function momentOf(flag: string, text: string | undefined, now: Date): Date | undefined {
  if (text === undefined) return undefined;
  const ago = /^(\d{1,9})([smhd])$/.exec(text);
  const seconds = ago === null ? undefined : Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0);
  if (seconds !== undefined) return new Date(now.getTime() - seconds * 1000);
  // A date alone would be taken for UTC's.
  const moment = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text.replace(/^(\S+) /, '$1T'));
  if (Number.isNaN(moment.getTime())) {
    throw new UsageError(
      `--${flag} is neither a time ago (30m, 2h, 7d) nor a moment (2026-11-20T23:30): '${text.slice(0, 60)}'`,
    );
  }
  return moment;
}

/** @throws UsageError */
export function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw new UsageError(`--${flag} is not a whole number: '${text.slice(0, 60)}'`);
  return Number(text);
}
