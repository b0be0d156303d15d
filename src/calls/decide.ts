import type { Policy, Subject, ToolTraits } from '../governance/policy/policy-types.ts';
import { refusal } from '../governance/policy/refusal.ts';
import type { Caller, Right } from '../lib/caller.ts';
import { AppError } from '../lib/errors.ts';
import type { Tool, ToolSettings } from '../tools/tool.ts';

/** A call that is refused whatever its arguments are. */
export interface Refusal {
  readonly error: AppError;
  /** What refuses, for the record: the setting, the right, or the rule. */
  readonly rule: string;
}

/**
 * Why no call of this tool can be allowed to this caller, or undefined. The one rule for both sides: tools/list leaves
 * out what this refuses, and a call is refused by it first, so that a hidden tool cannot be reached by its name. Pure.
 */
export function refusalOf(
  tool: Tool,
  settings: ToolSettings,
  policy: Policy,
  caller: Caller,
): Refusal | undefined {
  const ceiling = ceilingOf(tool, settings, caller);
  if (ceiling !== undefined) return { error: ceiling, rule: ceiling.code };
  const always = policy.always(traitsOf(tool), caller.name);
  if (always?.outcome !== 'deny') return undefined;
  return { error: refusal(tool.name, always), rule: always.rule };
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

/** A tool as rules see it. */
export function traitsOf({ name, target, effect, input }: Tool): ToolTraits {
  return {
    tool: name,
    target,
    effect,
    canOverwrite: 'overwrite' in input.shape,
    canForce: 'force' in input.shape,
    canExpectName: 'expect_name' in input.shape,
  };
}

/**
 * A call as rules see it.
 * @param input as the tool takes it: validated, defaults filled in
 */
export function subjectOf(
  tool: Tool,
  input: Readonly<Record<string, unknown>>,
  caller: Caller,
  at: Date,
): Subject {
  const { vmid, command, overwrite, force, expect_name: expectName } = input;
  return {
    ...traitsOf(tool),
    vmid: typeof vmid === 'number' ? vmid : null,
    command: typeof command === 'string' ? command : null,
    overwrite: overwrite === true,
    force: force === true,
    expectName: typeof expectName === 'string' ? expectName : null,
    caller: caller.name,
    at,
  };
}
