/**
 * Every failure a caller can meet, with a stable code. A code is part of the interface: clients and
 * the troubleshooting table of the README look failures up by it, so codes are added, never renamed.
 */
export const ERROR_CODES = [
  // the call itself
  'INVALID_INPUT',
  'PLACEHOLDER_IN_INPUT',
  'READ_ONLY',
  'LOCKED_DOWN',
  'RIGHT_MISSING',
  'HOST_ACCESS_DISABLED',
  'OWN_CONTAINER',
  'POLICY_DENIED',
  'POLICY_INVALID',
  'WRONG_TARGET',
  'ATTRIBUTES_UNREADABLE',
  'CONFIRMATION_REQUIRED',
  'CONFIRMATION_REFUSED',
  'APPROVAL_PENDING',
  'APPROVAL_EXPIRED',
  'APPROVAL_INVALID',
  'APPROVAL_USED',
  'APPROVAL_UNCLAIMED',
  'TARGET_CHANGED',
  'TIMEOUT',
  'CANCELLED',
  'SHUTTING_DOWN',
  'AUDIT_UNAVAILABLE',
  'STATE_UNAVAILABLE',
  // the way to the node
  'SSH_UNREACHABLE',
  'SSH_AUTH_FAILED',
  'SSH_KEY_UNUSABLE',
  'HOST_KEY_UNKNOWN',
  'HOST_KEY_CHANGED',
  'SSH_NO_SESSION',
  'DISCONNECTED',
  // the node
  'NOT_A_PROXMOX_NODE',
  'PMXCFS_UNAVAILABLE',
  'PERMISSION_DENIED',
  'NO_QUORUM',
  'PCT_FAILED',
  'EXIT_UNKNOWN',
  // the container
  'CONTAINER_NOT_FOUND',
  'NOT_A_CONTAINER',
  'CONTAINER_ON_OTHER_NODE',
  'CONTAINER_NOT_RUNNING',
  'CONTAINER_FROZEN',
  'CONTAINER_LOCKED',
  'CONTAINER_IS_TEMPLATE',
  'ATTACH_FAILED',
  'NO_SHELL',
  'TOOL_MISSING',
  // files
  'PATH_INVALID',
  'PATH_OUTSIDE_TRANSFER_DIRS',
  'TRANSFER_DIRS_UNSET',
  'SOURCE_NOT_FOUND',
  'DIRECTORY_NOT_FOUND',
  'IS_A_DIRECTORY',
  'NOT_A_REGULAR_FILE',
  'FILE_EXISTS',
  'FILE_TOO_LARGE',
  'FILE_CHANGED',
  'DISK_FULL',
  'READ_ONLY_FILESYSTEM',
  'UNKNOWN_OWNER',
  'CHECKSUM_MISMATCH',
  'TRANSFER_STALLED',
  'TRANSFER_FAILED',
  'LOCAL_IO',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * A failure that is safe and useful to show to both readers, the model and the admin.
 * `message` says what failed and why, `hint` what to do next; one sentence each, no secret, no stack.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly hint: string;
  /** What the remote side printed about it, where that helps. Untrusted text. */
  readonly stderr: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    hint: string,
    options: { stderr?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = hint;
    this.stderr = options.stderr;
  }
}

/** The message of whatever was thrown; for wrapping, never for telling failures apart. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
