import { toolsAsCommands } from './tools-as-commands.ts';

/**
 * The code of every failure. Codes are part of the interface: clients and docs/troubleshooting.md refer to them, so a code is
 * added but never renamed.
 */
export const ERROR_CODES = [
  // The call itself.
  'INVALID_INPUT',
  'PLACEHOLDER_IN_INPUT',
  'READ_ONLY',
  'TOOL_DISABLED',
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
  'NOT_RUN',
  'TIMEOUT',
  'CANCELLED',
  'SHUTTING_DOWN',
  'AUDIT_UNAVAILABLE',
  'STATE_UNAVAILABLE',
  // The SSH connection.
  'SSH_UNREACHABLE',
  'SSH_AUTH_FAILED',
  'SSH_KEY_UNUSABLE',
  'HOST_KEY_UNKNOWN',
  'HOST_KEY_CHANGED',
  'SSH_NO_SESSION',
  'DISCONNECTED',
  // The node.
  'NOT_A_PROXMOX_NODE',
  'PMXCFS_UNAVAILABLE',
  'PERMISSION_DENIED',
  'NO_QUORUM',
  'PCT_FAILED',
  'EXIT_UNKNOWN',
  'JOB_NOT_FOUND',
  'JOB_NOT_STARTED',
  // The container.
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
  // Files.
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
  'EDIT_FAILED',
  'VALIDATION_FAILED',
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

/** The reader of an error: the model that called a tool, or a person who ran a command. */
export type Audience = 'model' | 'person';

/**
 * The next step. A single text applies to both readers: for a person, the tool names in it become commands. Two texts are used
 * if the next step differs. The text for a model never suggests changing the policy.
 */
export type Hint = string | Readonly<Record<Audience, string>>;

/**
 * A failure that may be shown to the model and to the operator.
 * `message` says what failed and why, `hint` what to do next: one or two sentences each, without secrets or a stack trace.
 * Print the hint with `nextStep`.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly hint: Hint;
  /** What a program on the node printed to stderr, if that helps. Untrusted text. */
  readonly stderr: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    hint: Hint,
    options: { stderr?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = hint;
    this.stderr = options.stderr;
  }
}

/** The next step after a failure, for one reader. */
export function nextStep(
  { code, hint, message }: Pick<AppError, 'code' | 'hint' | 'message'>,
  audience: Audience,
): string {
  if (typeof hint !== 'string') return hint[audience];
  if (audience === 'person') return toolsAsCommands(hint, /^Container (\d{3,9})\b/.exec(message)?.[1]);
  return FOR_THE_USER.has(code) ? `Tell the user, who can correct this: ${hint}` : hint;
}

/** A model has no access to what these hints name: the network, sshd, keys. */
const FOR_THE_USER: ReadonlySet<ErrorCode> = new Set([
  'SSH_UNREACHABLE',
  'SSH_AUTH_FAILED',
  'SSH_KEY_UNUSABLE',
  'NOT_A_PROXMOX_NODE',
]);

/** The message of a thrown value, for wrapping it in another error. Do not distinguish failures by it. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
