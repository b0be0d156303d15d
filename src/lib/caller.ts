export const RIGHTS = ['read', 'write', 'host'] as const;

/** What a caller may do at all; policy can only narrow it. `write` covers all that changes a container, commands included. */
export type Right = (typeof RIGHTS)[number];

/** Who calls, as rules, the record and metrics name it. */
export interface Caller {
  /** `local` on stdio and in the shell; over HTTP the name of the token, or `oauth:` and the subject of the JWT. */
  readonly name: string;
  readonly rights: ReadonlySet<Right>;
}

/** Whoever started this process: may do what the operator's settings allow. */
export const LOCAL_CALLER: Caller = { name: 'local', rights: new Set(RIGHTS) };
