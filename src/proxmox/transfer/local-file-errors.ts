import { hasErrno } from '../../lib/errno.ts';
import { AppError, messageOf } from '../../lib/errors.ts';

/** Over HTTP no directory is meant for transfers until the operator says so. */
export function transferDirsUnset(): AppError {
  return new AppError(
    'TRANSFER_DIRS_UNSET',
    'Transfers are refused: over HTTP they use the disk of the server, and no directory of it was named for them.',
    'Ask the operator to set TRANSFER_DIRS; a small text can be written and read with proxmox_container_exec_command.',
  );
}

/** What a transfer could change there would decide about the next call. */
export function belongsToServer(file: string): AppError {
  return new AppError(
    'PATH_OUTSIDE_TRANSFER_DIRS',
    `${file} belongs to this server: its program, settings, secrets, rules, approvals and record are for no transfer.`,
    'Use another path; the operator can give transfers a directory of their own with TRANSFER_DIRS.',
  );
}

export function outsideTransferDirs(file: string, dirs: readonly string[]): AppError {
  return new AppError(
    'PATH_OUTSIDE_TRANSFER_DIRS',
    `${file} is outside the directories that transfers may use (${dirs.join(', ')}).`,
    'Use a path inside them, a relative one joins the first; the operator can add directories to TRANSFER_DIRS.',
  );
}

/** Programs run what such files say: .git/hooks, .mcp.json, .envrc. */
export function dotNameRefused(file: string, name: string): AppError {
  return new AppError(
    'PATH_OUTSIDE_TRANSFER_DIRS',
    `${file} is refused: ${JSON.stringify(name)} begins with a dot, and programs act upon such files without being asked.`,
    'Use a name that does not begin with a dot; the operator can name a hidden directory itself in TRANSFER_DIRS.',
  );
}

export function fileExists(file: string, what: string): AppError {
  return new AppError(
    'FILE_EXISTS',
    `The ${what} ${file} already exists and was left as it is.`,
    'Set overwrite to true to replace it, or choose another name.',
  );
}

export function sourceNotFound(file: string): AppError {
  return new AppError(
    'SOURCE_NOT_FOUND',
    `The local file ${file} does not exist.`,
    'Check local_path; a relative one joins the first of the TRANSFER_DIRS.',
  );
}

export function invalidPath(file: string, why: string): AppError {
  return new AppError(
    'PATH_INVALID',
    `The local path ${JSON.stringify(file)} ${why}.`,
    'Give the plain path of a file inside the transfer directories.',
  );
}

export function localIo(doing: string, file: string, error: unknown): AppError {
  if (hasErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new AppError(
      'DISK_FULL',
      `The local disk is full; ${file} was not written.`,
      'Free some space and try again.',
    );
  }
  if (hasErrno(error, 'EROFS')) {
    return new AppError(
      'READ_ONLY_FILESYSTEM',
      `The local file system of ${file} is mounted read-only.`,
      'Choose another directory of TRANSFER_DIRS.',
    );
  }
  if (hasErrno(error, 'EACCES', 'EPERM')) {
    return new AppError(
      'PERMISSION_DENIED',
      `This server may not ${doing} the local file ${file}.`,
      'Check the permissions of the file and its directory.',
    );
  }
  return new AppError(
    'LOCAL_IO',
    `Could not ${doing} the local file ${file}: ${messageOf(error)}.`,
    'Check the path and the disk, then try again.',
  );
}
