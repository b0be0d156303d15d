import { errnoOf } from '../../lib/errno.ts';
import { AppError, messageOf } from '../../lib/errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the limit on file sizes of this process (ulimit -f) is reached',
  EROFS: 'the file system is read-only',
  EACCES: 'the user who runs this server may not write there',
  EPERM: 'the user who runs this server may not write there',
  EIO: 'the disk reports an input/output error',
  ENOENT: 'a directory of its path is gone',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'something that is no directory is in its place',
  EMFILE: 'this process has too many files open',
  ENFILE: 'this machine has too many files open',
};

/** Why something could not be written, without errno names. */
export function reasonOf(error: unknown): string {
  return REASONS[errnoOf(error) ?? ''] ?? messageOf(error);
}

/** The refusal of a call that cannot be logged. */
export function auditUnavailable(dir: string, error: unknown): AppError {
  return new AppError(
    'AUDIT_UNAVAILABLE',
    `The call was not executed, because it could not be written to the audit log in ${dir}: ${reasonOf(error)}.`,
    'Ask the operator to check that directory. Calls are executed again as soon as it can be written.',
    { cause: error },
  );
}
