import { lockedDown } from '../governance/lockdown/lockdown.ts';
import type { Policy } from '../governance/policy/policy-types.ts';
import { refusal } from '../governance/policy/refusal.ts';
import type { Caller, Right } from '../lib/caller.ts';
import { AppError } from '../lib/errors.ts';
import type { Tool, ToolSettings } from '../tools/tool.ts';
import type { ServerDeps } from './call-deps.ts';
import { traitsOf } from './subject.ts';

/** A call that is refused whatever its arguments are. */
export interface CeilingRefusal {
  readonly error: AppError;
  /** The setting, the right or the rule that refuses, for the audit log. */
  readonly rule: string;
}

/**
 * Why no call of this tool can be allowed to this caller, or undefined. One rule for both: tools/list leaves out the tools
 * that this refuses, and a call is refused by it first, so that a hidden tool cannot be called by its name. Pure.
 */
export function ceilingRefusal(
  tool: Tool,
  settings: ToolSettings,
  policy: Policy,
  caller: Caller,
): CeilingRefusal | undefined {
  const error = ceilingOf(tool, settings, caller);
  if (error !== undefined) return { error, rule: error.code };
  const always = policy.always(traitsOf(tool), caller.name);
  if (always?.outcome !== 'deny') return undefined;
  return { error: refusal(tool.name, always), rule: always.rule };
}

/**
 * Asked once more right before a call is made, as a person may have been asked meanwhile.
 * @throws AppError LOCKED_DOWN
 */
export async function refuseInLockdown(
  { name, effect }: Tool,
  deps: Pick<ServerDeps, 'lockdown'>,
): Promise<void> {
  const lockdown = effect === 'read' ? undefined : await deps.lockdown();
  if (lockdown !== undefined) throw lockedDown(name, lockdown);
}

/** What the operator's settings and the caller's rights refuse: ceilings that no policy lifts. */
function ceilingOf(tool: Tool, settings: ToolSettings, caller: Caller): AppError | undefined {
  if (settings.readOnly && tool.effect !== 'read') {
    return new AppError(
      'READ_ONLY',
      `${tool.name} is refused: this server is read-only, so only tools that change nothing run.`,
      'Use proxmox_list_containers or proxmox_container_status; for more, ask the operator to start the server without READ_ONLY.',
    );
  }
  const right = rightFor(tool);
  if (caller.rights.has(right)) return undefined;
  return new AppError(
    'RIGHT_MISSING',
    `${tool.name} is refused: ${caller.name} has not the right \`${right}\`.`,
    `Ask the operator for a token or scope with the right \`${right}\`.`,
  );
}

/** The right that a tool asks of its caller. */
export function rightFor(tool: Pick<Tool, 'target' | 'effect'>): Right {
  if (tool.target === 'host') return 'host';
  return tool.effect === 'read' ? 'read' : 'write';
}
