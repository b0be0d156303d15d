import type { Subject, ToolTraits } from '../governance/policy/policy-types.ts';
import type { Caller } from '../lib/caller.ts';
import type { CallPart, Tool } from '../tools/tool.ts';
import type { Arguments } from './call-record.ts';

/** The properties of a tool that rules can match. */
export function traitsOf({ name, target, effect, discloses = false, input }: Tool): ToolTraits {
  return {
    tool: name,
    target,
    effect,
    discloses,
    canOverwrite: 'overwrite' in input.shape,
    canForce: 'force' in input.shape,
    canExpectName: 'expect_name' in input.shape || ('vmids' in input.shape && effect !== 'read'),
  };
}

/**
 * The properties of a call that rules can match.
 * @param input the validated arguments with defaults
 */
export function subjectOf(tool: Tool, input: Arguments, caller: Caller, at: Date): Subject {
  const { vmid, command, check, overwrite, force, expect_name: expectName } = input;
  return {
    ...traitsOf(tool),
    vmid: typeof vmid === 'number' ? vmid : null,
    // A call with a check runs two commands, so comparing one of them with the exact commands is not enough.
    command: typeof command === 'string' && check === undefined ? command : null,
    overwrite: overwrite === true,
    force: force === true,
    expectName: typeof expectName === 'string' ? expectName : null,
    caller: caller.name,
    at,
  };
}

/**
 * The subjects of a call: one for each of its parts, or the call itself.
 * @param input the validated arguments with defaults
 */
export function subjectsOf(tool: Tool, input: Arguments, caller: Caller, at: Date): readonly Subject[] {
  const whole = subjectOf(tool, input, caller, at);
  return tool.parts?.({ ...input }).map((part) => subjectOfPart(whole, part)) ?? [whole];
}

/** The subject of a call on several containers in one of them. */
export function subjectIn(part: Subject, tool: Tool, input: Arguments, vmid: number): Subject {
  const own = tool.commandIn?.({ ...input }, vmid);
  if (own === undefined) return { ...part, vmid };
  // As in subjectOf, for the same reason.
  return { ...part, vmid, command: input.check === undefined ? own : null };
}

function subjectOfPart(whole: Subject, { role, vmid, effect, discloses = false, runs }: CallPart): Subject {
  const target = vmid === null ? 'host' : 'container';
  const part = { ...whole, role, vmid, target, effect, discloses } as const;
  if (runs !== undefined) return { ...part, ...runs, overwrite: false, canOverwrite: false };
  // The expected name is that of the container that is changed.
  if (effect === 'read') return { ...part, overwrite: false, canExpectName: false, expectName: null };
  return target === 'host' ? { ...part, canExpectName: false, expectName: null } : part;
}
