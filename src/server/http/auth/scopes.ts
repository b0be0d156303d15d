import { rightFor } from '../../../calls/ceilings.ts';
import { type Caller, RIGHTS, type Right, TOOL_RIGHTS } from '../../../lib/caller.ts';
import { TOOLS } from '../../../tools/index.ts';
import type { ToolSettings } from '../../../tools/tool.ts';

/**
 * Adds `read` to `write` and `host`, because a caller that may change something can read it anyway. `write` does not include
 * `host`, nor `host` `write`.
 */
export function withImplied(given: Iterable<Right>): Caller['rights'] {
  const rights = new Set(given);
  if (TOOL_RIGHTS.some((right) => rights.has(right))) rights.add('read');
  // `confirm` alone permits no tool.
  else rights.clear();
  return rights;
}

/** The OAuth scope for a permission: `proxmox:read`. */
export function scopeOf(right: Right, prefix: string): string {
  return `${prefix}${right}`;
}

/** The permissions for the scopes of a token; other scopes are ignored. */
export function rightsOf(scopes: readonly string[], prefix: string): Caller['rights'] {
  return withImplied(RIGHTS.filter((right) => scopes.includes(scopeOf(right, prefix))));
}

/**
 * The permissions that permit at least one tool with these settings. Without `confirm`: clients request every advertised
 * scope, but only the operator should grant this one.
 */
export function usableRights({ readOnly, enableHostExec, toolsets }: ToolSettings): readonly Right[] {
  const open = TOOLS.filter(({ effect, target, toolset }) => {
    return (
      toolsets.includes(toolset) && (!readOnly || effect === 'read') && (enableHostExec || target !== 'host')
    );
  });
  const rights = new Set(open.map(rightFor));
  return RIGHTS.filter((right) => rights.has(right));
}
