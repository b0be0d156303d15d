import { lockedDown } from '../governance/lockdown/lockdown-file.ts';
import type { Policy } from '../governance/policy/policy-types.ts';
import { refusal } from '../governance/policy/refusal.ts';
import type { Caller, Permission } from '../lib/caller.ts';
import { AppError } from '../lib/errors.ts';
import { shortToolName } from '../lib/tool-name.ts';
import type { Tool, ToolSettings } from '../tools/tool.ts';
import type { ServerDeps } from './call-deps.ts';
import { traitsOf } from './subject.ts';

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
  tool: Tool,
  settings: ToolSettings,
  policy: Policy,
  caller: Caller,
): CeilingRefusal | undefined {
  const error = ceilingOf(tool, settings, policy, caller);
  if (error !== undefined) return { error, rule: error.code };
  const always = policy.always(traitsOf(tool), caller.name);
  if (always?.outcome !== 'deny') return undefined;
  return { error: refusal(tool.name, always), rule: always.rule };
}

/**
 * Checked again right before a call is executed, because waiting for approval takes time.
 * @throws AppError LOCKED_DOWN
 */
export async function refuseInLockdown(
  { name, effect }: Tool,
  deps: Pick<ServerDeps, 'lockdown'>,
): Promise<void> {
  const lockdown = effect === 'read' ? undefined : await deps.lockdown();
  if (lockdown !== undefined) throw lockedDown(name, lockdown);
}

/** Refusals by the operator's settings and the caller's permissions, which no policy rule overrides. */
function ceilingOf(tool: Tool, settings: ToolSettings, policy: Policy, caller: Caller): AppError | undefined {
  if (!settings.toolsets.includes(tool.toolset)) {
    return new AppError(
      'TOOL_DISABLED',
      `${tool.name} is refused: its toolset \`${tool.toolset}\` is disabled on this server (TOOLSETS). The call was not executed.`,
      {
        model: 'Use the tools of tools/list. Do not work around this.',
        person: `To enable the tool, add ${tool.toolset} to TOOLSETS.`,
      },
    );
  }
  if (settings.readOnly && tool.effect !== 'read') {
    return new AppError(
      'READ_ONLY',
      `${tool.name} is refused: this server is in read-only mode (READ_ONLY). The call was not executed.`,
      {
        model:
          'Use proxmox_list_containers or proxmox_container_status. If they are not enough, tell the user that the server is read-only. Do not work around this.',
        person: 'To allow changes, start the server without READ_ONLY.',
      },
    );
  }
  if (settings.readOnly && tool.discloses === true && !policy.mayAllowByName(traitsOf(tool), caller.name)) {
    return disclosureRefused(tool.name);
  }
  return permissionMissing(tool.name, permissionFor(tool), caller);
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
