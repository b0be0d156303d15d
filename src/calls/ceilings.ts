import { lockedDown } from '../governance/lockdown/lockdown-file.ts';
import type { Policy } from '../governance/policy/policy-types.ts';
import { refusal } from '../governance/policy/refusal.ts';
import type { Caller, Permission } from '../lib/caller.ts';
import { AppError } from '../lib/errors.ts';
import { shortToolName } from '../lib/tool-name.ts';
import type { Tool, ToolSettings } from '../tools/tool.ts';
import type { ServerDeps } from './call-deps.ts';
import { traitsOf } from './subject.ts';
import type { CatalogEntry } from './tool-catalog.ts';

type CheckedEntry = Pick<CatalogEntry, 'toolset' | 'traits'>;

/** The refusal of a call regardless of its arguments. */
export interface CeilingRefusal {
  readonly error: AppError;
  /** The setting, permission or rule that refuses, for the audit log. */
  readonly rule: string;
}

/**
 * Why this caller cannot call this tool at all; undefined if some call may be allowed. tools/list omits the tools that this
 * function refuses, and every call is checked with it first, so a hidden tool cannot be called by its name. Pure.
 */
export function ceilingRefusal(
  entry: CheckedEntry,
  settings: ToolSettings,
  policy: Policy,
  caller: Caller,
): CeilingRefusal | undefined {
  const error = ceilingOf(entry, settings, policy, caller);
  if (error !== undefined) return { error, rule: error.code };
  const always = policy.always(entry.traits, caller.name);
  if (always?.outcome !== 'deny') return undefined;
  return { error: refusal(entry.traits.tool, always), rule: always.rule };
}

/** The same for a tool. */
export function ceilingOfTool(
  tool: Tool,
  settings: ToolSettings,
  policy: Policy,
  caller: Caller,
): CeilingRefusal | undefined {
  return ceilingRefusal({ toolset: tool.toolset, traits: traitsOf(tool) }, settings, policy, caller);
}

/**
 * Checked again right before a call is executed, because waiting for approval takes time.
 * @throws AppError LOCKED_DOWN
 */
export async function refuseInLockdown(
  { name, effect }: Pick<Tool, 'name' | 'effect'>,
  deps: Pick<ServerDeps, 'lockdown'>,
): Promise<void> {
  const lockdown = effect === 'read' ? undefined : await deps.lockdown();
  if (lockdown !== undefined) throw lockedDown(name, lockdown);
}

/** Refusals by the operator's settings and the caller's permissions, which no policy rule overrides. */
function ceilingOf(
  { toolset, traits }: CheckedEntry,
  settings: ToolSettings,
  policy: Policy,
  caller: Caller,
): AppError | undefined {
  const { tool, effect, discloses } = traits;
  if (!settings.toolsets.includes(toolset)) {
    return new AppError(
      'TOOL_DISABLED',
      `${tool} is refused: its toolset \`${toolset}\` is disabled on this server (TOOLSETS). The call was not executed.`,
      {
        model: 'Use the tools of tools/list. Do not work around this.',
        person: `To enable the tool, add ${toolset} to TOOLSETS.`,
      },
    );
  }
  if (settings.readOnly && effect !== 'read') {
    return new AppError(
      'READ_ONLY',
      `${tool} is refused: this server is in read-only mode (READ_ONLY). The call was not executed.`,
      {
        model:
          'Use proxmox_list_containers or proxmox_container_status. If they are not enough, tell the user that the server is read-only. Do not work around this.',
        person: 'To allow changes, start the server without READ_ONLY.',
      },
    );
  }
  if (settings.readOnly && discloses === true && !policy.mayAllowByName(traits, caller.name)) {
    return disclosureRefused(tool);
  }
  return permissionMissing(tool, permissionFor(traits), caller);
}

/** READ_ONLY permits the tools that show containers, and those that return their contents only if a rule names them. */
export function disclosureRefused(name: string): AppError {
  return new AppError(
    'READ_ONLY',
    `${name} is refused: this server is in read-only mode (READ_ONLY), and the tool returns contents of containers, which may be secret. The call was not executed.`,
    {
      model:
        'Use proxmox_list_containers or proxmox_container_status. If they are not enough, tell the user that the server is read-only. Do not work around this.',
      person: `To allow it, add a rule with \`match: { tool: ${shortToolName(name)} }\` and \`outcome: allow\` to the policy file (POLICY_FILE).`,
    },
  );
}

/** The refusal of a caller without the permission; undefined if it has it. */
export function permissionMissing(
  name: string,
  permission: Permission,
  caller: Caller,
): AppError | undefined {
  if (caller.permissions.has(permission)) return undefined;
  return new AppError(
    'RIGHT_MISSING',
    `${name} is refused: caller ${caller.name} lacks the permission \`${permission}\`. The call was not executed.`,
    {
      model: `Do not work around this. Tell the user that the call needs a token with the permission \`${permission}\`.`,
      person: `Use a token or scope with the permission \`${permission}\`.`,
    },
  );
}

/** The permission that a caller needs for a tool. */
export function permissionFor(tool: Pick<Tool, 'target' | 'effect'>): Permission {
  if (tool.target === 'host') return 'host';
  return tool.effect === 'read' ? 'read' : 'write';
}
