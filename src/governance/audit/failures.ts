import { errnoOf } from '../../lib/errno.ts';
import { AppError, messageOf } from '../../lib/errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is exceeded',
  EFBIG: 'the file size limit of this process (ulimit -f) is exceeded',
  EROFS: 'the file system is read-only',
  EACCES: 'the user who runs this server has no write permission',
  EPERM: 'the user who runs this server has no write permission',
  EIO: 'the disk reports an input/output error',
  ENOENT: 'a directory in the path does not exist',
  ENOTDIR: 'a component of the path is a file, not a directory',
  EEXIST: 'the path exists and is not a directory',
  EMFILE: 'this process has too many open files',
  ENFILE: 'this machine has too many open files',
};

/** The reason of a failed write in words instead of an errno name. */
export function reasonOf(error: unknown): string {
  return REASONS[errnoOf(error) ?? ''] ?? messageOf(error);
}

/** The refusal of a call that cannot be logged. */
export function auditUnavailable(dir: string, error: unknown): AppError {
  return new AppError(
    'AUDIT_UNAVAILABLE',
    `The call was not executed, because it could not be written to the audit log in ${dir}: ${reasonOf(error)}.`,
    {
      model: 'Tell the user that the audit log cannot be written. Calls are executed again once it can be.',
      person: 'Check that directory. Calls are executed again once it can be written.',
    },
    { cause: error },
  );
}
