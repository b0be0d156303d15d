import { text } from 'node:stream/consumers';
import * as z from 'zod/v4';
import type { CallFilter } from '../../../governance/audit/call-history.ts';
import type { VerifyOptions } from '../../../governance/audit/verify-dir.ts';
import { UsageError } from '../../usage-error.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The filter in the options. @throws UsageError */
export function parseFilter(options: Readonly<Record<string, string | undefined>>, now: Date): CallFilter {
  const { tool, caller, outcome, session } = options;
  return {
    since: momentOf('since', options.since, now),
    until: momentOf('until', options.until, now),
    tool,
    vmid: numberOf('vmid', options.vmid),
    caller,
    outcome,
    // The name of a segment contains the ID of its session.
    session: /-([0-9a-f]{12})-\d+(?:\.jsonl)?$/.exec(session ?? '')?.[1] ?? session,
    failed: options.failed === 'true',
  };
}

/**
 * The claim to prove: the call in --call had the arguments in --arguments.
 * @param json a JSON object, or `-` for standard input
 * @throws UsageError
 */
export async function claimOf(
  call: string | undefined,
  json: string | undefined,
): Promise<VerifyOptions['claim']> {
  if (call === undefined && json === undefined) return undefined;
  if (call === undefined || json === undefined)
    throw new UsageError('--call and --arguments must be used together');
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

/** A time: `90s`, `30m`, `2h` or `7d` ago, or a date with or without a time of day, in local time unless it has a time zone. */
function momentOf(flag: string, text: string | undefined, now: Date): Date | undefined {
  if (text === undefined) return undefined;
  const ago = /^(\d{1,9})([smhd])$/.exec(text);
  const seconds = ago === null ? undefined : Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0);
  if (seconds !== undefined) return new Date(now.getTime() - seconds * 1000);
  // `new Date` would read a date without a time as UTC.
  const moment = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text.replace(/^(\S+) /, '$1T'));
  if (Number.isNaN(moment.getTime())) {
    throw new UsageError(
      `--${flag} needs a duration (30m, 2h, 7d) or a time (2026-11-20T23:30), not '${text.slice(0, 60)}'`,
    );
  }
  return moment;
}

/** @throws UsageError */
export function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw new UsageError(`--${flag} needs a whole number, not '${text.slice(0, 60)}'`);
  return Number(text);
}
