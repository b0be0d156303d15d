import { hasErrno } from '../../lib/errno.ts';
import { AppError, type Hint, messageOf } from '../../lib/errors.ts';

/** The next step after FILE_EXISTS. */
export const USE_OVERWRITE: Hint = {
  model: 'Set overwrite to true to replace it, or use a different name.',
  person: 'Use --overwrite (for `call`: overwrite=true) to replace it, or use a different name.',
};

/** Over HTTP, transfers are disabled until the operator sets TRANSFER_DIRS. */
export function transferDirsUnset(): AppError {
  return new AppError(
    'TRANSFER_DIRS_UNSET',
    "File transfers are disabled: over HTTP they use the server's disk, and TRANSFER_DIRS is not set. Nothing was transferred.",
    {
      model:
        'Read and write small text files with proxmox_container_exec_command. For other files, tell the user that TRANSFER_DIRS is not set.',
      person: 'Set TRANSFER_DIRS to the directories that transfers may use.',
    },
  );
}

/** For files that control this server, which a transfer must not read or change. */
export function belongsToServer(file: string): AppError {
  return new AppError(
    'PATH_OUTSIDE_TRANSFER_DIRS',
    `${file} belongs to this server: its program, settings, secrets, policy, approvals and audit log cannot be transferred.`,
    {
      model: 'Use a different path inside TRANSFER_DIRS.',
      person: 'Use a different path, or set TRANSFER_DIRS to a separate directory.',
    },
  );
}

export function outsideTransferDirs(file: string, dirs: readonly string[]): AppError {
  return new AppError(
    'PATH_OUTSIDE_TRANSFER_DIRS',
    `${file} is outside the directories that transfers may use (${dirs.join(', ')}).`,
    {
      model: 'Use a path inside one of them (TRANSFER_DIRS). A relative path is inside the first one.',
      person:
        'Use a path inside one of them (a relative path is inside the first one), or add the directory to TRANSFER_DIRS.',
    },
  );
}

/** For hidden files, which may control programs: .git/hooks, .mcp.json, .envrc. */
export function dotNameRefused(file: string, name: string): AppError {
  return new AppError(
    'PATH_OUTSIDE_TRANSFER_DIRS',
    `${file} is refused: ${JSON.stringify(name)} begins with a dot, and programs may execute or load such files automatically.`,
    {
      model: 'Use a name that does not begin with a dot, inside TRANSFER_DIRS.',
      person:
        'Use a name that does not begin with a dot, or add the hidden directory itself to TRANSFER_DIRS.',
    },
  );
}

export function fileExists(file: string, what: string): AppError {
  return new AppError(
    'FILE_EXISTS',
    `The ${what} ${file} already exists and was not changed.`,
    USE_OVERWRITE,
  );
}

export function sourceNotFound(file: string): AppError {
  return new AppError(
    'SOURCE_NOT_FOUND',
    `The local file ${file} does not exist.`,
    'Check local_path. A relative path is inside the first directory of TRANSFER_DIRS.',
  );
}

export function invalidPath(file: string, why: string): AppError {
  return new AppError(
    'PATH_INVALID',
    `The local path ${JSON.stringify(file)} ${why}.`,
    'Use a plain path of a file inside the transfer directories.',
  );
}

export function localIo(doing: string, file: string, error: unknown): AppError {
  if (hasErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new AppError(
      'DISK_FULL',
      `The local disk is full, so ${file} was not written.`,
      'Free some space and call again.',
    );
  }
  if (hasErrno(error, 'EROFS')) {
    return new AppError(
      'READ_ONLY_FILESYSTEM',
      `The local file system of ${file} is mounted read-only.`,
      'Use a different directory of TRANSFER_DIRS.',
    );
  }
  if (hasErrno(error, 'EACCES', 'EPERM')) {
    return new AppError(
      'PERMISSION_DENIED',
      `This server has no permission to ${doing} the local file ${file}.`,
      'Check the permissions of the file and its directory.',
    );
  }
  return new AppError(
    'LOCAL_IO',
    `Could not ${doing} the local file ${file}: ${messageOf(error)}.`,
    'Check the path and the disk, then call again.',
  );
}
