import { rightFor } from '../../../calls/ceilings.ts';
import { type Caller, RIGHTS, type Right, TOOL_RIGHTS } from '../../../lib/caller.ts';
import { TOOLS } from '../../../tools/index.ts';
import type { ToolSettings } from '../../../tools/tool.ts';

/**
 * The rights that come with those that were given: who may change containers or the node can look at them anyway, and
 * finds nothing to change without. `write` does not bring `host`, nor `host` `write`.
 */
export function withImplied(given: Iterable<Right>): Caller['rights'] {
  const rights = new Set(given);
  if (TOOL_RIGHTS.some((right) => rights.has(right))) rights.add('read');
  // Alone it opens nothing.
  else rights.clear();
  return rights;
}

/** The OAuth scope of a right: `proxmox:read`. */
export function scopeOf(right: Right, prefix: string): string {
  return `${prefix}${right}`;
}

/** The rights that a token's scopes give; scopes of others are none of our business. */
export function rightsOf(scopes: readonly string[], prefix: string): Caller['rights'] {
  return withImplied(RIGHTS.filter((right) => scopes.includes(scopeOf(right, prefix))));
}

/**
 * The rights that open a tool which the ceilings leave open. `confirm` is none of them: clients ask for every scope that is
 * advertised, and this one is for the operator to grant.
 */
export function usableRights({ readOnly, enableHostExec }: ToolSettings): readonly Right[] {
  const open = TOOLS.filter(({ effect, target }) => {
    return (!readOnly || effect === 'read') && (enableHostExec || target !== 'host');
  });
  const rights = new Set(open.map(rightFor));
  return RIGHTS.filter((right) => rights.has(right));
}
