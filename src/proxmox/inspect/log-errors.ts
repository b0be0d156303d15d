import { AppError } from '../../lib/errors.ts';
import type { LogRequest, SimilarFile } from './log-types.ts';
import { oneLine } from './plain-text.ts';

/** A refusal of the log script. */
export interface LogRefusal {
  readonly code: string;
  readonly text: string;
}

const USE_PATH =
  'Use path, for example /var/log/syslog or /var/log/messages. Programs also write files of their own in /var/log.';

/** The error for what the log script reports. */
export function logFailure(
  { code, text }: LogRefusal,
  { path = '' }: LogRequest,
  { vmid, similar }: { readonly vmid: number; readonly similar: readonly SimilarFile[] },
): AppError {
  const where = `in container ${vmid}`;
  switch (code) {
    case 'SOURCE_NOT_FOUND':
      return new AppError(
        'SOURCE_NOT_FOUND',
        `${isPattern(path) ? `No file with content matches ${path}` : `${path} does not exist`} ${where}.${similar.length === 0 ? '' : ` Files with similar names: ${similarFiles(similar)}.`}`,
        similar.length === 0
          ? 'Check the path, for example with `ls -la /var/log`.'
          : 'Use the path of one of them. Those that end in .gz, .xz, .zst or .bz2 are decompressed.',
      );
    case 'IS_A_DIRECTORY':
      return new AppError(
        'IS_A_DIRECTORY',
        `${path} is a directory ${where}, not a file.`,
        `Use the path of a file in it, or a pattern such as ${path.replace(/\/$/, '')}/*.log*.`,
      );
    case 'NOT_A_REGULAR_FILE':
    case 'PSEUDO_FILE':
      return new AppError(
        'NOT_A_REGULAR_FILE',
        `${path} is a device, pipe, socket or virtual file ${where}.`,
        'Use the path of a regular file.',
      );
    case 'ROTATED':
      return new AppError(
        'FILE_CHANGED',
        `The log ${path === '' ? 'journal' : path} was rotated ${where} since the cursor was made, so its older lines are no longer there.`,
        path === '' || isPattern(path)
          ? 'Call again without cursor.'
          : `Call again without cursor. The older lines may be in ${path}.1.`,
      );
    case 'NO_TIMES':
      return new AppError(
        'INVALID_INPUT',
        `The first 1,000 lines of ${path} ${where} have no timestamp in a known format, so since and until cannot be applied.`,
        'Leave them out, and use match with a part of the timestamp, written as in the log.',
      );
    case 'TOO_MANY':
      return new AppError(
        'INVALID_INPUT',
        `More than 200 files match ${path} ${where}.`,
        'Use a pattern that fewer files match.',
      );
    case 'NO_DATE':
      return new AppError(
        'TOOL_MISSING',
        `The program date ${where} cannot convert the time ${oneLine(text)}.`,
        'Leave out since and until, and use match with a part of the timestamp, written as in the log.',
      );
    case 'NO_JOURNAL':
      return new AppError('TOOL_MISSING', `There is no journal ${where}: ${oneLine(text)}.`, USE_PATH);
    case 'TOOL_MISSING':
      return new AppError(
        'TOOL_MISSING',
        `The program ${oneLine(text)} is missing ${where}.`,
        oneLine(text) === 'awk'
          ? 'Leave out since, until and group, and use match with a part of the timestamp, written as in the log.'
          : 'Install it, or read the log with a command.',
      );
    case 'REFUSED':
      return new AppError(
        'INVALID_INPUT',
        `journalctl ${where} does not accept the unit, priority, since or until.`,
        'Check their format, and whether the version of systemd there supports it.',
      );
    default:
      return new AppError(
        'PERMISSION_DENIED',
        `The log cannot be read ${where}: ${oneLine(text)}.`,
        'Check the permissions of the file.',
      );
  }
}

function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/** `/var/log/a.log.1 (4096 bytes), /var/log/a.log.2.gz (120 bytes)`. */
export function similarFiles(files: readonly SimilarFile[]): string {
  return files.map(({ path, bytes }) => `${path} (${bytes ?? '?'} bytes)`).join(', ');
}
