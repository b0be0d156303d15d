import * as z from 'zod/v4';
import { reject } from './formats.ts';

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };
const BYTES: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** A duration in seconds, at least `min` and at most `max`: `90`, `30s`, `10m`, `2h`, `1d`. */
export function duration(min: number, max: number) {
  const error = `is not a duration from ${durationText(min)} to ${durationText(max)} (30, 30s, 10m, 2h)`;
  return z.string().transform((value, ctx) => {
    const [, digits, unit = ''] = /^(\d{1,9}) ?([smhd]?)$/i.exec(value) ?? [];
    const seconds = Number(digits) * (SECONDS[unit.toLowerCase()] ?? Number.NaN);
    return seconds >= min && seconds <= max ? seconds : reject(ctx, error);
  });
}

/** A size in bytes, at least `min` and at most `max`: `1048576`, `100k`, `100M`, `1G`; a following `B` or `iB` is accepted. */
export function size(min: number, max: number) {
  const error = `is not a size from ${min} to ${max} bytes (1048576, 100M, 1G)`;
  return z.string().transform((value, ctx) => {
    const [, digits, unit = ''] = /^(\d{1,16}) ?([kmgt]?)(?:i?b)?$/i.exec(value) ?? [];
    const bytes = Number(digits) * (BYTES[unit.toLowerCase()] ?? Number.NaN);
    return bytes >= min && bytes <= max ? bytes : reject(ctx, error);
  });
}

/** A number of seconds in the format of a setting: 90 s is `90s`, 600 s is `10m`. */
export function durationText(seconds: number): string {
  for (const unit of ['d', 'h', 'm']) {
    const length = SECONDS[unit] ?? 1;
    if (seconds > 0 && seconds % length === 0) return `${seconds / length}${unit}`;
  }
  return `${seconds}s`;
}
