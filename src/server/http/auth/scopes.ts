import { permissionFor } from '../../../calls/ceilings.ts';
import { type Caller, PERMISSIONS, type Permission, TOOL_PERMISSIONS } from '../../../lib/caller.ts';
import { TOOLS } from '../../../tools/index.ts';
import type { ToolSettings } from '../../../tools/tool.ts';

/**
 * Adds `read` to `write` and `host`, because a caller that may change something can read it anyway. `write` does not include
 * `host`, nor `host` `write`.
 */
export function withImplied(given: Iterable<Permission>): Caller['permissions'] {
  const permissions = new Set(given);
  if (TOOL_PERMISSIONS.some((permission) => permissions.has(permission))) permissions.add('read');
  // `confirm` alone permits no tool.
  else permissions.clear();
  return permissions;
}

/** The OAuth scope for a permission: `proxmox:read`. */
export function scopeOf(permission: Permission, prefix: string): string {
  return `${prefix}${permission}`;
}

/** The permissions for the scopes of a token; other scopes are ignored. */
export function permissionsOf(scopes: readonly string[], prefix: string): Caller['permissions'] {
  return withImplied(PERMISSIONS.filter((permission) => scopes.includes(scopeOf(permission, prefix))));
}

/**
 * The permissions that permit at least one tool with these settings. Without `confirm`: clients request every advertised
 * scope, but only the operator should grant this one.
 */
export function usablePermissions({
  readOnly,
  enableHostExec,
  toolsets,
}: ToolSettings): readonly Permission[] {
  const open = TOOLS.filter(({ effect, target, toolset }) => {
    return (
      toolsets.includes(toolset) && (!readOnly || effect === 'read') && (enableHostExec || target !== 'host')
    );
  });
  const permissions = new Set(open.map(permissionFor));
  return PERMISSIONS.filter((permission) => permissions.has(permission));
}
