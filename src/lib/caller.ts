export const RIGHTS = ['read', 'write', 'host', 'confirm'] as const;

/**
 * The rights of a caller, which the policy can only narrow. `write` includes everything that changes a container, also commands.
 * `confirm` gives access to no tool: over HTTP, confirmations from this caller's own client are accepted.
 */
export type Right = (typeof RIGHTS)[number];

/** The rights that give access to tools. */
export const TOOL_RIGHTS = ['read', 'write', 'host'] as const satisfies readonly Right[];

/** The caller in rules, the audit log and metrics. */
export interface Caller {
  /** `local` on stdio and in the shell; over HTTP the name of the token, or `oauth:` and the subject of the JWT. */
  readonly name: string;
  readonly rights: ReadonlySet<Right>;
}

/** The user who started this process, with all rights. */
export const LOCAL_CALLER: Caller = { name: 'local', rights: new Set(RIGHTS) };

/** Reserved names, which tokens cannot have. */
export const RESERVED_CALLERS: readonly string[] = [LOCAL_CALLER.name, 'anonymous', 'default'];

/** The prefix of the subject of a JWT in the name of a caller. */
export const OAUTH_PREFIX = 'oauth:';

/** Whether the call comes from stdio or from the shell. */
export function isLocal({ name }: Caller): boolean {
  return name === LOCAL_CALLER.name;
}
