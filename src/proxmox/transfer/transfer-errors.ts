import { AppError, type ErrorCode } from '../../lib/errors.ts';
import type { AttachTarget } from '../../remote/command-line.ts';

type Make = (text: string, where: string) => AppError;

const make =
  (code: ErrorCode, message: (text: string, where: string) => string, hint: string): Make =>
  (text, where) =>
    new AppError(code, message(text, where), hint);

const diskFull = make(
  'DISK_FULL',
  (_text, where) => `The disk is full ${where}; the incomplete copy was removed.`,
  'Nothing was changed at the destination. Free some space (`df -h`) and try again.',
);

/** The refusals that the transfer scripts make by a check of their own. */
const REFUSALS: Readonly<Record<string, Make>> = {
  SOURCE_NOT_FOUND: make(
    'SOURCE_NOT_FOUND',
    (file, where) => `${file} does not exist ${where}.`,
    'Check the path, for instance by listing its directory with `ls -la`.',
  ),
  DIRECTORY_NOT_FOUND: make(
    'DIRECTORY_NOT_FOUND',
    (dir, where) => `The directory for the file does not exist ${where}: ${dir === '' ? '/' : dir}.`,
    'Create it with `mkdir -p`, or choose an existing one.',
  ),
  IS_A_DIRECTORY: make(
    'IS_A_DIRECTORY',
    (file, where) => `${file} is a directory ${where}, not a file.`,
    'Name a file; pack a directory with tar first.',
  ),
  NOT_A_REGULAR_FILE: make(
    'NOT_A_REGULAR_FILE',
    (file, where) => `${file} is a device, pipe or socket ${where}, not a regular file.`,
    'Name a regular file.',
  ),
  PSEUDO_FILE: make(
    'NOT_A_REGULAR_FILE',
    (file) =>
      `${file} is made up by the kernel while it is read and has no size, so it can't be transferred and verified.`,
    'Read it with a command such as `cat` instead.',
  ),
  FILE_EXISTS: make(
    'FILE_EXISTS',
    (file, where) => `${file} already exists ${where} and was left as it is.`,
    'Set overwrite to true to replace it, or choose another name.',
  ),
  SHORT: make(
    'TRANSFER_FAILED',
    (got) => `Only ${got} bytes arrived; the incomplete copy was removed.`,
    'Nothing was changed at the destination. Try again.',
  ),
  FULL: diskFull,
  MODE: make(
    'PERMISSION_DENIED',
    (text, where) => `The permissions could not be set ${where}: ${text}.`,
    'The file system may know none (CIFS, exFAT, FUSE, /etc/pve): leave `permissions` out.',
  ),
  OWNER: make(
    'UNKNOWN_OWNER',
    (text, where) => `The owner or group could not be set ${where}: ${text}.`,
    'Use a user and group that exist there, by name or number.',
  ),
  TOOL_MISSING: make(
    'TOOL_MISSING',
    (tool, where) => `The command ${tool}, which a verified transfer needs, does not exist ${where}.`,
    'Install coreutils or busybox there (on OpenWrt `opkg install coreutils-sha256sum` and the like).',
  ),
};

/** Failures of the system, which only their text tells apart (the scripts set LC_ALL=C). */
const SYSTEM_FAILURES: readonly { pattern: RegExp; make: Make }[] = [
  { pattern: /No space left on device|Disk quota exceeded/i, make: diskFull },
  {
    pattern: /Read-only file system/i,
    make: make(
      'READ_ONLY_FILESYSTEM',
      (_text, where) => `The file system is mounted read-only ${where}.`,
      'Choose another directory, or look at the mount with `findmnt`.',
    ),
  },
  {
    pattern: /Permission denied|Operation not permitted/i,
    make: make(
      'PERMISSION_DENIED',
      (text, where) => `The system refused access ${where}: ${text}.`,
      'Check the permissions and mounts of the path; in an unprivileged container, files of the host are off limits.',
    ),
  },
];

/** Much more than programs say, so that no secret is cut in two here; what is shown is shortened after they are covered. */
const MAX_TOLD = 4000;

/** The error for what a transfer script reported: its word, and the text that goes with it (untrusted). */
export function remoteFailure(
  word: string,
  text: string,
  entry: AttachTarget,
  maxFileSize: number,
): AppError {
  const where = entry.kind === 'container' ? `in container ${entry.vmid}` : 'on the Proxmox host';
  const shown = text.trim().slice(0, MAX_TOLD);
  if (word === 'FILE_TOO_LARGE') return fileTooLarge(shown, maxFileSize);
  const refusal = REFUSALS[word];
  if (refusal) return refusal(shown, where);
  const known = SYSTEM_FAILURES.find(({ pattern }) => pattern.test(text));
  if (known) return known.make(shown, where);
  return new AppError(
    'TRANSFER_FAILED',
    `The transfer failed ${where}${shown === '' ? '' : `: ${shown}`}.`,
    'Nothing was changed at the destination. Check the path and try again.',
  );
}

/** The far side did not keep to what it had announced. */
export function protocolBroken(why: string, target: AttachTarget): AppError {
  const subject = target.kind === 'container' ? `Container ${target.vmid}` : 'The Proxmox host';
  return new AppError(
    'TRANSFER_FAILED',
    `${subject} broke the transfer protocol (${why}), so the transfer was ended.`,
    'Nothing was changed at the destination. Look at the programs stat, wc, head and sha256sum that it finds first in its PATH.',
  );
}

export function fileTooLarge(size: string | number, limit: number): AppError {
  return new AppError(
    'FILE_TOO_LARGE',
    `The file has ${size} bytes; the limit is ${limit} (MAX_FILE_SIZE). Nothing was transferred.`,
    'Compress or split it, or ask the operator to raise MAX_FILE_SIZE.',
  );
}

export function fileChanged(file: string): AppError {
  return new AppError(
    'FILE_CHANGED',
    `${file} arrived with another SHA-256 than it has on the far side; most likely it was changed while it was read.`,
    'The local file was left as it was. Try again when nobody writes the file, or copy it first and fetch the copy.',
  );
}

export function fileShrank(file: string): AppError {
  return new AppError(
    'FILE_CHANGED',
    `${file} has fewer bytes than its size said: it shrank while it was read, or the kernel makes it up.`,
    'The local file was left as it was. Try again when nobody writes the file; read one below /sys with `cat` instead.',
  );
}

export function checksumMismatch(what: string): AppError {
  return new AppError(
    'CHECKSUM_MISMATCH',
    `${what}: its SHA-256 differs on the two ends, so the copy was removed.`,
    'Nothing was changed at the destination. Try again when nobody writes the source; if it happens again, suspect the disk or the memory of a machine.',
  );
}

export function notAgreed(file: string): AppError {
  return new AppError(
    'APPROVAL_INVALID',
    `${file} has other bytes than those that were agreed to, so the copy was removed.`,
    'Nothing was changed at the destination. Call again to ask for the file as it is now.',
  );
}

/** @throws AppError PATH_INVALID unless the path is absolute and can't climb */
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
    'Give the absolute path of a file, such as /etc/hosts.',
  );
}
