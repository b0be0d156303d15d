export const RIGHTS = ['read', 'write', 'host', 'confirm'] as const;

/**
 * What a caller may do at all; policy can only narrow it. `write` covers all that changes a container, commands included.
 * `confirm` opens no tool: over HTTP, the answers of this caller's own client to questions count as confirmations.
 */
export type Right = (typeof RIGHTS)[number];

/** The rights that open tools. */
export const TOOL_RIGHTS = ['read', 'write', 'host'] as const satisfies readonly Right[];

/** The caller, as rules, the audit log and metrics name it. */
export interface Caller {
  /** `local` on stdio and in the shell; over HTTP the name of the token, or `oauth:` and the subject of the JWT. */
  readonly name: string;
  readonly rights: ReadonlySet<Right>;
}

/** The user who started this process: may do what the operator's settings allow. */
export const LOCAL_CALLER: Caller = { name: 'local', rights: new Set(RIGHTS) };

/** Names with a meaning of their own, which no token of the operator may have. */
export const RESERVED_CALLERS: readonly string[] = [LOCAL_CALLER.name, 'anonymous', 'default'];

/** Before the subject of a JWT in the name of its caller. */
export const OAUTH_PREFIX = 'oauth:';

/** Whether the call comes over stdio or from the shell. */
export function isLocal({ name }: Caller): boolean {
  return name === LOCAL_CALLER.name;
}
