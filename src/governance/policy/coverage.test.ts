import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContainerAttributes } from '../../remote/remote-types.ts';
import { commonVerdict, possibleOutcomes, possibleRules, unreachableRules } from './coverage.ts';
import { evaluatePolicy } from './evaluate.ts';
import { EXACT_COMMANDS } from './exact-commands.ts';
import { parsePolicy } from './parse-policy.ts';
import type { Outcome, Subject, ToolTraits } from './policy-types.ts';
import { presetRules } from './presets.ts';
import type { Match, Rule, RuleSet } from './rules.ts';
import { DAYS, type TimeWindow } from './time.ts';

const exec: ToolTraits = {
  tool: 'proxmox_container_exec_command',
  target: 'container',
  effect: 'exec',
  canOverwrite: false,
  canForce: false,
  canExpectName: true,
};
const stop: ToolTraits = { ...exec, tool: 'proxmox_stop_container', effect: 'destroy', canForce: true };
const upload: ToolTraits = {
  ...exec,
  tool: 'proxmox_upload_file_to_container',
  effect: 'write',
  canOverwrite: true,
};
const hostExec: ToolTraits = {
  ...exec,
  tool: 'proxmox_host_exec_command',
  target: 'host',
  canExpectName: false,
};
const list: ToolTraits = { ...exec, tool: 'proxmox_list_containers', target: 'cluster', effect: 'read' };
const TOOLS = [exec, stop, upload, hostExec, list];

/*
 * A small set of values with which every call can be tried. The rules below distinguish no calls beyond these values, so that
 * "every input" can be checked one by one.
 */
const VMIDS = [100, 101, 999_999_999];
const NAMES = ['a', 'ab', 'b', 'other'];
const TAGS = [[], ['x'], ['y'], ['x', 'y']];
const POOLS = [null, 'p', 'q'];
const NODES = ['n1', 'n2', 'other'];
const MOMENTS = [new Date('2026-11-20T12:00:00Z'), new Date('2026-11-21T12:00:00Z')];
const CALLERS = ['local', 'ci'];

const friday: TimeWindow = { days: new Set([DAYS.indexOf('fri')]), from: 0, to: 1440, zone: 'UTC' };
const range = (from: number, to: number) => ({ from, to });
const some = <T>(...values: readonly T[]) => fc.subarray([...values], { minLength: 1 });

const matches: fc.Arbitrary<Match> = fc.record(
  {
    tool: fc.constantFrom(['stop_container'], ['proxmox_*_container'], ['*exec*']),
    target: some('cluster', 'container', 'host'),
    effect: some('read', 'write', 'destroy', 'exec'),
    vmid: some(range(100, 100), range(101, 101), range(101, 999_999_999), range(100, 101)),
    name: some('a', 'b', '*', 'a*'),
    tag: some('x', 'Y'),
    pool: some('p', '*'),
    node: some('n1', 'n?'),
    caller: some('local', 'c*'),
    time: fc.constant([friday]),
    overwrite: fc.boolean(),
    force: fc.boolean(),
  },
  { requiredKeys: [] },
);
const outcomes = fc.constantFrom<Outcome>('allow', 'confirm', 'deny', 'deny');
const ruleSets: fc.Arbitrary<RuleSet> = fc
  .tuple(
    fc.array(fc.tuple(matches, outcomes, fc.boolean()), { maxLength: 6 }),
    outcomes,
    fc.constantFrom([], EXACT_COMMANDS),
  )
  .map(([rules, fallback, exact]) => ({
    extends: null,
    rules: rules.map(
      ([match, outcome, requireExpectName], index): Rule => ({
        name: `r${index}`,
        match,
        outcome,
        requireExpectName,
        confirmAtTerminal: false,
        reason: null,
        line: index + 1,
      }),
    ),
    fallback: { name: 'default', outcome: fallback, reason: null, confirmAtTerminal: false },
    exactCommands: new Set(exact),
  }));

type Call = readonly [Subject, ContainerAttributes];
const calls = new Map<string, readonly Call[]>();

/** Every call of a tool, with its container. Made once: most of the time of these tests would be spent on it. */
function everyCall(tool: ToolTraits, caller: string): readonly Call[] {
  const key = `${tool.tool} ${caller}`;
  const all = calls.get(key) ?? [...makeCalls(tool, caller)];
  calls.set(key, all);
  return all;
}

function* makeCalls(tool: ToolTraits, caller: string): Generator<Call> {
  const either = (possible: boolean) => (possible ? [false, true] : [false]);
  const inContainer = tool.target === 'container';
  for (const vmid of inContainer ? VMIDS : [null])
    for (const name of inContainer ? NAMES : ['other'])
      for (const tags of inContainer ? TAGS : [[]])
        for (const pool of inContainer ? POOLS : [null])
          for (const node of inContainer ? NODES : ['n1'])
            for (const at of MOMENTS)
              for (const overwrite of either(tool.canOverwrite))
                for (const force of either(tool.canForce))
                  for (const command of tool.effect === 'exec' ? ['rm -r /', 'df -h'] : [null]) {
                    const expectName = tool.canExpectName ? name : null;
                    const call = { vmid, command, overwrite, force, expectName, caller, at };
                    yield [
                      { ...tool, ...call },
                      { vmid: vmid ?? 100, name, tags, pool, node },
                    ];
                  }
}

async function everyOutcome(set: RuleSet, tool: ToolTraits, caller: string): Promise<ReadonlySet<Outcome>> {
  const seen = new Set<Outcome>();
  for (const [subject, facts] of everyCall(tool, caller)) {
    seen.add((await evaluatePolicy(set, subject, async () => facts)).outcome);
    if (seen.size === 3) break;
  }
  return seen;
}

describe('the filter of tools/list', () => {
  test('never hides a tool for which some call is allowed', async () => {
    await fc.assert(
      fc.asyncProperty(
        ruleSets,
        fc.constantFrom(...TOOLS),
        fc.constantFrom(...CALLERS),
        async (set, tool, caller) => {
          const tried = await everyOutcome(set, tool, caller);
          const possible = possibleOutcomes(possibleRules(set, tool, caller), set);
          expect([...possible]).toEqual(expect.arrayContaining([...tried]));
          if (commonVerdict(set, tool, caller)?.outcome === 'deny') expect([...tried]).toEqual(['deny']);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a rule that is reported unreachable decides no call', async () => {
    await fc.assert(
      fc.asyncProperty(ruleSets, async (set) => {
        const unreachable = new Set(unreachableRules(set, TOOLS).map(({ name }) => name));
        fc.pre(unreachable.size > 0);
        for (const tool of TOOLS)
          for (const caller of CALLERS)
            for (const [subject, attributes] of everyCall(tool, caller)) {
              const { rule } = await evaluatePolicy(set, subject, async () => attributes);
              if (unreachable.has(rule)) throw new Error(`${rule} decides ${JSON.stringify(subject)}`);
            }
      }),
      { numRuns: 25 },
    );
  });
});

function rulesOf(text: string): RuleSet {
  const parsed = parsePolicy(text, { protectedTag: 'protected', tools: TOOLS.map(({ tool }) => tool) });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.set;
}

describe('hides a tool if every applicable rule up to the first unconditional one denies', () => {
  const always = (text: string, tool: ToolTraits = stop, caller = 'local') =>
    commonVerdict(rulesOf(text), tool, caller)?.outcome;

  test.each([
    ['default: deny', 'deny'],
    ['default: allow', 'allow'],
    ['default: allow\nrules: [{rule: a, outcome: deny}]', 'deny'],
    ['default: allow\nrules: [{rule: a, outcome: deny, match: {tool: stop_container}}]', 'deny'],
    // Rules after one without conditions never apply.
    [
      'default: allow\nrules: [{rule: a, outcome: deny, match: {vmid: 101}}, {rule: b, outcome: deny}, {rule: c, outcome: allow}]',
      'deny',
    ],
    // Conditions are not combined: the rest may still include a call.
    ['default: allow\nrules: [{rule: a, outcome: deny, match: {vmid: 100-999999999}}]', undefined],
    ['default: allow\nrules: [{rule: a, outcome: deny, match: {force: true}}]', undefined],
    ['default: allow\nrules: [{rule: a, outcome: deny, match: {time: {days: mon-sat}}}]', undefined],
    ['default: allow\nrules: [{rule: a, outcome: deny, match: {tag: "*"}}]', undefined],
    ['default: deny\nrules: [{rule: a, outcome: allow, match: {node: pve1}}]', undefined],
    // A rule about something that the tool cannot do never applies, or has no condition.
    ['default: allow\nrules: [{rule: a, outcome: deny, match: {overwrite: true}}]', 'allow'],
    ['default: allow\nrules: [{rule: a, outcome: deny, match: {overwrite: false}}]', 'deny'],
  ])('%s: %s', (text, expected) => {
    expect(always(text)).toBe(expected);
  });

  test('lists an exec tool while exact commands are allowed', () => {
    const readers = presetRules('read-only', 'protected');
    expect(commonVerdict(readers, exec, 'local')).toBeUndefined();
    expect(commonVerdict(readers, stop, 'local')).toMatchObject({
      outcome: 'deny',
      rule: 'read-only: everything else',
    });
    expect(
      always('default: allow\nrules: [{rule: a, outcome: deny, match: {effect: exec}}]', exec),
    ).toBeUndefined();
    const both = 'default: allow\nrules: [{rule: a, outcome: deny, match: {effect: [exec, read]}}]';
    expect(always(both, exec)).toBe('deny');
  });

  test('filters by caller', () => {
    const text = 'default: deny\nrules: [{rule: a, outcome: allow, match: {caller: ci-*}}]';
    expect(always(text, stop, 'ci-1')).toBe('allow');
    expect(always(text, stop, 'local')).toBe('deny');
  });

  test('ignores rules about containers for other tools', () => {
    const text = 'default: allow\nrules: [{rule: a, outcome: deny, match: {vmid: 100-999999999}}]';
    expect(always(text, hostExec)).toBe('allow');
    expect(always(text, list)).toBe('allow');
  });
});

describe('reports a rule as unreachable', () => {
  const unreachable = (rules: string) =>
    unreachableRules(rulesOf(`rules: [${rules}]`), TOOLS).map(({ name }) => name);

  test.each([
    [
      'after one without conditions',
      '{rule: a, outcome: deny}, {rule: b, outcome: allow, match: {vmid: 101}}',
      ['b'],
    ],
    [
      'after one on its tool',
      '{rule: a, outcome: deny, match: {tool: stop_*}}, {rule: b, outcome: allow, match: {tool: stop_container}}, {rule: c, outcome: allow}',
      ['b'],
    ],
    [
      'after one on its caller',
      '{rule: a, outcome: deny, match: {caller: ci-*}}, {rule: b, outcome: allow, match: {caller: ci-1}}, {rule: c, outcome: allow, match: {caller: c*}}',
      ['b'],
    ],
    ['when it matches no tool', '{rule: a, outcome: deny, match: {tool: list_containers, vmid: 101}}', ['a']],
    [
      'not after one with conditions',
      '{rule: a, outcome: deny, match: {tag: x}}, {rule: b, outcome: allow, match: {tag: x}}',
      [],
    ],
    [
      'not after a narrower pattern',
      '{rule: a, outcome: deny, match: {caller: "c?"}}, {rule: b, outcome: allow, match: {caller: "c*"}}',
      [],
    ],
  ])('%s', (_, rules, expected) => {
    expect(unreachable(rules)).toEqual(expected);
  });
});
