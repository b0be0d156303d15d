import type { ErrorCode } from '../../lib/errors.ts';
import type { Job } from './job-types.ts';

/** The error code for a job that did not end by itself, or whose exit code is unknown; undefined for others. */
export function codeOfJob({ end }: Pick<Job, 'end'>): ErrorCode | undefined {
  if (end === null) return undefined;
  if (end.how === 'timeout') return 'TIMEOUT';
  if (end.how === 'cancelled') return 'CANCELLED';
  return end.exitCode === null ? 'EXIT_UNKNOWN' : undefined;
}
