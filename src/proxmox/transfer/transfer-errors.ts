import { AppError, type ErrorCode, type Hint } from '../../lib/errors.ts';
import type { AttachTarget } from '../../remote/session-requests.ts';
import { DEV_NULL_HINT } from '../inventory/diagnose.ts';
import { USE_OVERWRITE } from './local-file-errors.ts';

type Make = (text: string, where: string) => AppError;

const make =
  (code: ErrorCode, message: (text: string, where: string) => string, hint: Hint): Make =>
  (text, where) =>
    new AppError(code, message(text, where), hint);

const diskFull = make(
  'DISK_FULL',
  (_text, where) => `The disk is full ${where}; the incomplete copy was removed.`,
  'The destination was not changed. Free some space (check with `df -h`) and call again.',
);

/** The errors that the transfer scripts detect themselves. */
const REFUSALS: Readonly<Record<string, Make>> = {
  SOURCE_NOT_FOUND: make(
    'SOURCE_NOT_FOUND',
    (file, where) => `${file} does not exist ${where}.`,
    'Check the path, for example by listing its directory with `ls -la`.',
  ),
  DIRECTORY_NOT_FOUND: make(
    'DIRECTORY_NOT_FOUND',
    (dir, where) => `The target directory does not exist ${where}: ${dir === '' ? '/' : dir}.`,
    'Create it with `mkdir -p`, or use an existing one.',
  ),
  IS_A_DIRECTORY: make(
    'IS_A_DIRECTORY',
    (file, where) => `${file} is a directory ${where}, not a file.`,
    'Pack the directory with tar and transfer the archive.',
  ),
  TARGET_IS_A_DIRECTORY: make(
    'IS_A_DIRECTORY',
    (file, where) => `${file} is a directory ${where}, not a file.`,
    'Add the name of the file to the path.',
  ),
  DIRECTORY: make(
    'IS_A_DIRECTORY',
    (file, where) => `${file} is a directory ${where}, not a file.`,
    'Set recursive to true to copy it with everything in it.',
  ),
  NOT_A_DIRECTORY: make(
    'FILE_EXISTS',
    (file, where) => `${file} exists ${where} and is not a directory, so a directory cannot be copied to it.`,
    'Use a different name, or remove the file.',
  ),
  SPECIAL_FILE: make(
    'NOT_A_REGULAR_FILE',
    (file, where) =>
      `${file} is a device, pipe or socket ${where}, which a copy of its directory cannot contain.`,
    'Copy the other directories and files one by one, or pack them with tar in the container.',
  ),
  NOT_A_REGULAR_FILE: make(
    'NOT_A_REGULAR_FILE',
    (file, where) => `${file} is a device, pipe or socket ${where}, not a regular file.`,
    'Use the path of a regular file.',
  ),
  PSEUDO_FILE: make(
    'NOT_A_REGULAR_FILE',
    (file) =>
      `${file} is a virtual file (such as in /proc) without a fixed size, so it cannot be transferred and verified.`,
    'Read it with a command such as `cat` instead.',
  ),
  FILE_EXISTS: make(
    'FILE_EXISTS',
    (file, where) => `${file} already exists ${where} and was not changed.`,
    USE_OVERWRITE,
  ),
  CHANGED: make(
    'FILE_CHANGED',
    (file, where) =>
      `${file} was changed by another program ${where} during the call, so it was not replaced.`,
    'Read the file again, and make the change for its present content.',
  ),
  TOUCHED: make(
    'VALIDATION_FAILED',
    (file, where) =>
      `\`validate\` succeeded, but changed the new content ${where}, so it is not what was requested. ${file} has its old content.`,
    'Use a command that only checks, and run one that formats or converts the file in a call of its own.',
  ),
  SAME_FILE: make(
    'INVALID_INPUT',
    (file, where) =>
      `The target ${file} ${where} is the source itself, by a link or a mount. Nothing was copied.`,
    'Use a target outside of the source.',
  ),
  MOUNTED: make(
    'FILE_EXISTS',
    (point, where) =>
      `A file system is mounted on ${point} ${where}, so the directory cannot be replaced: its content would be removed. Nothing was copied.`,
    'Copy to a new name, and move what is needed with a command, or unmount it first.',
  ),
  TOO_DEEP: make(
    'INVALID_INPUT',
    (file, where) =>
      `${file} ${where} contains paths of more than 3,500 characters, which many programs cannot handle.`,
    'Pack the directory with tar there and copy the archive.',
  ),
  SHORT: make(
    'TRANSFER_FAILED',
    (got) => `Only ${got} bytes arrived, so the incomplete copy was removed.`,
    'The destination was not changed. Call again.',
  ),
  FULL: diskFull,
  MODE: make(
    'PERMISSION_DENIED',
    (text, where) => `The permissions could not be set ${where}: ${text}.`,
    'The file system may not support permissions (CIFS, exFAT, FUSE, /etc/pve). Omit `permissions`.',
  ),
  OWNER: make(
    'UNKNOWN_OWNER',
    (text, where) => `The owner or group could not be set ${where}: ${text}.`,
    'Use a user and a group that exist there, by name or number.',
  ),
  DEV_NULL: make('ATTACH_FAILED', (_text, where) => `/dev/null cannot be opened ${where}.`, DEV_NULL_HINT),
  TOOL_MISSING: make(
    'TOOL_MISSING',
    (tool, where) => `The command ${tool} is required for verified transfers, but does not exist ${where}.`,
    'Install coreutils or busybox there (on OpenWrt, for example, `opkg install coreutils-sha256sum`).',
  ),
};

/** System errors, which are recognized by their text (the scripts set LC_ALL=C). */
const SYSTEM_FAILURES: readonly { pattern: RegExp; make: Make }[] = [
  { pattern: /No space left on device|Disk quota exceeded/i, make: diskFull },
  {
    pattern: /Read-only file system/i,
    make: make(
      'READ_ONLY_FILESYSTEM',
      (_text, where) => `The file system is mounted read-only ${where}.`,
      'Use a different directory, or check the mount with `findmnt`.',
    ),
  },
  {
    pattern: /(?:Device or )?resource busy/i,
    make: make(
      'TRANSFER_FAILED',
      (text, where) => `The destination is a mount point ${where}, which cannot be replaced: ${text}.`,
      'The destination was not changed. Write into it with a command such as `cat NEW > FILE`, or change it where it is mounted from.',
    ),
  },
  {
    pattern: /Permission denied|Operation not permitted/i,
    make: make(
      'PERMISSION_DENIED',
      (text, where) => `Access was denied ${where}: ${text}.`,
      'Check the permissions, mounts and attributes (`lsattr`) of the path. In an unprivileged container, root cannot access files that belong to the host.',
    ),
  },
];

/** Much longer than messages of programs, so that no secret is cut in two here. The message is shortened after redaction. */
const MAX_TOLD = 4000;

/** The error that a transfer script reported: its code and its untrusted text. */
export function remoteFailure(
  word: string,
  text: string,
  entry: AttachTarget,
  maxFileSize: number,
): AppError {
  const where = entry.kind === 'container' ? `in container ${entry.vmid}` : 'on the Proxmox host';
  const shown = text.trim().slice(0, MAX_TOLD);
  if (word === 'TOOL_MISSING' && /^(tar|find)$/.test(shown)) {
    return new AppError(
      'TOOL_MISSING',
      `The command ${shown} is required on both sides to copy a directory, but does not exist ${where}.`,
      `Install ${shown} there, or copy the files one by one.`,
    );
  }
  if (word === 'FILE_TOO_LARGE') return fileTooLarge(shown, maxFileSize);
  const refusal = REFUSALS[word];
  if (refusal) return refusal(shown, where);
  const known = SYSTEM_FAILURES.find(({ pattern }) => pattern.test(text));
  if (known) return known.make(shown, where);
  return new AppError(
    'TRANSFER_FAILED',
    `The transfer failed ${where}${shown === '' ? '' : `: ${shown}`}.`,
    'The destination was not changed. Check the path and call again.',
  );
}

/** The remote side violated the transfer protocol. */
export function protocolBroken(why: string, target: AttachTarget): AppError {
  const subject = target.kind === 'container' ? `Container ${target.vmid}` : 'The Proxmox host';
  return new AppError(
    'TRANSFER_FAILED',
    `${subject} violated the transfer protocol (${why}), so the transfer was aborted.`,
    'The destination was not changed. Check the programs stat, wc, head and sha256sum that are first in the PATH there.',
  );
}

export function fileTooLarge(size: string | number, limit: number): AppError {
  return new AppError(
    'FILE_TOO_LARGE',
    `The file has ${size} bytes; the limit is ${limit} (MAX_FILE_SIZE). Nothing was transferred.`,
    {
      model: 'Compress the file or split it.',
      person: 'Compress the file, split it, or raise MAX_FILE_SIZE.',
    },
  );
}

export function fileChanged(file: string): AppError {
  return new AppError(
    'FILE_CHANGED',
    `The SHA-256 of the received file differs from that of ${file}, which was probably changed during the transfer.`,
    'The local file was not changed. Call again while no program writes to the file, or copy it first and download the copy.',
  );
}

export function fileShrank(file: string): AppError {
  return new AppError(
    'FILE_CHANGED',
    `${file} has fewer bytes than its reported size: it shrank during the transfer, or it is a virtual file.`,
    'The local file was not changed. Call again while no program writes to the file. Read virtual files (such as in /sys) with `cat` instead.',
  );
}

export function checksumMismatch(what: string): AppError {
  return new AppError(
    'CHECKSUM_MISMATCH',
    `${what}: its SHA-256 differs between source and copy, so the copy was removed.`,
    'The destination was not changed. Call again while no program writes to the source. If it happens again, check disk and memory of both machines.',
  );
}

export function notAgreed(file: string): AppError {
  return new AppError(
    'APPROVAL_INVALID',
    `The content of ${file} changed after it was approved, so the copy was removed.`,
    'The destination was not changed. Call again to request approval for the current content.',
  );
}

/** @throws AppError PATH_INVALID unless the path is absolute, names a file and does not contain `..` */
export function checkRemotePath(remotePath: string): void {
  const why = remotePath.includes('\0')
    ? 'contains a NUL byte'
    : !remotePath.startsWith('/')
      ? 'is not absolute'
      : remotePath.split('/').includes('..')
        ? 'contains ".."'
        : remotePath.endsWith('/')
          ? 'names a directory'
          : undefined;
  if (why === undefined) return;
  throw new AppError(
    'PATH_INVALID',
    `The remote path ${JSON.stringify(remotePath)} ${why}.`,
    'Use the absolute path of a file, such as /etc/hosts.',
  );
}
