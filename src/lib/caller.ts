export const PERMISSIONS = ['read', 'write', 'host', 'confirm'] as const;

/**
 * A permission of a caller. The policy can only restrict it further. `write` includes all changes of a container and commands.
 * `confirm` permits no tool: it lets the caller's own HTTP client answer approval questions.
 */
export type Permission = (typeof PERMISSIONS)[number];

/** The permissions that permit tools. */
export const TOOL_PERMISSIONS = ['read', 'write', 'host'] as const satisfies readonly Permission[];

/** The sender of a call, as named in rules and in the audit log. */
export interface Caller {
  /** `local` on stdio and for CLI commands; over HTTP the name of the token, or `oauth:` and the subject of the JWT. */
  readonly name: string;
  readonly permissions: ReadonlySet<Permission>;
}

/** The user who started this process, with all permissions. */
export const LOCAL_CALLER: Caller = { name: 'local', permissions: new Set(PERMISSIONS) };

/** Names with a special meaning, which tokens must not have. */
export const RESERVED_CALLERS: readonly string[] = [LOCAL_CALLER.name, 'anonymous', 'default'];

/** Prefix of a JWT subject in a caller name. */
export const OAUTH_PREFIX = 'oauth:';

/** Whether the caller uses stdio or a CLI command. */
export function isLocal({ name }: Caller): boolean {
  return name === LOCAL_CALLER.name;
}
