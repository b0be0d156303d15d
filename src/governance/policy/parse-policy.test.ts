import { describe, expect, test } from 'vitest';
import { parsePolicy } from './parse-policy.ts';

const TOOLS = ['proxmox_container_exec_command', 'proxmox_stop_container', 'proxmox_host_exec_command'];
const parse = (text: string) => parsePolicy(text, { protectedTag: 'protected', tools: TOOLS });

/** `line:column problem` of each error. */
function errorsOf(text: string): readonly string[] {
  const result = parse(text);
  if (result.ok) throw new Error('there are none');
  return result.errors.map(({ line, column, problem }) => `${line}:${column} ${problem}`);
}

function setOf(text: string) {
  const result = parse(text);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.set;
}

test('denies by default without a preset', () => {
  expect(setOf('rules: []').fallback).toMatchObject({ outcome: 'deny', name: 'default' });
  expect(setOf('default: confirm').fallback.outcome).toBe('confirm');
});

test('appends the rules of the preset, and takes its default unless the file sets one', () => {
  const set = setOf('extends: standard\nrules:\n  - {rule: mine, outcome: deny}');
  expect(set.rules.map(({ name, line }) => [name, line])).toEqual([
    ['mine', 3],
    ['standard: protected', null],
  ]);
  expect(set.fallback.outcome).toBe('allow');
  expect(setOf('extends: standard\ndefault: deny').fallback.outcome).toBe('deny');
});

test('merges the built-in exact commands with those of the file', () => {
  const { exactCommands } = setOf('exact_commands: [docker ps -a, /usr/bin/systemctl --failed]');
  expect([...exactCommands]).toEqual(expect.arrayContaining(['pct list', 'ip route', 'docker ps -a']));
});

test('accepts every field, as a value or a list', () => {
  const [rule] = setOf(`
rules:
  - rule: everything
    match:
      tool: [stop_container, proxmox_host_*]
      target: container
      effect: [write, destroy]
      vmid: [105, 200-299]
      name: web-*
      tag: [a, b]
      pool: lab
      node: pve1
      caller: [local, ci-*]
      time:
        - {days: [mon-fri, sun], hours: "22:00-06:00", zone: Europe/Berlin}
        - days: sat
      overwrite: true
      force: false
    outcome: confirm
    reason: Because.
    require: expect_name
    confirm: terminal
`).rules;
  expect(rule).toEqual({
    name: 'everything',
    line: 3,
    outcome: 'confirm',
    reason: 'Because.',
    requireExpectName: true,
    confirmAtTerminal: true,
    match: {
      tool: ['stop_container', 'proxmox_host_*'],
      target: ['container'],
      effect: ['write', 'destroy'],
      vmid: [
        { from: 105, to: 105 },
        { from: 200, to: 299 },
      ],
      name: ['web-*'],
      tag: ['a', 'b'],
      pool: ['lab'],
      node: ['pve1'],
      caller: ['local', 'ci-*', 'oauth:ci-*'],
      time: [
        { days: new Set([1, 2, 3, 4, 5, 0]), from: 22 * 60, to: 6 * 60, zone: 'Europe/Berlin' },
        { days: new Set([6]), from: 0, to: 24 * 60, zone: null },
      ],
      overwrite: true,
      force: false,
    },
  });
});

describe('errors', () => {
  test('are reported together, in line order, with positions', () => {
    expect(
      errorsOf(`extends: carefull
rules:
  - rule: a
    match:
      vmids: 101
      effect: [write, exek]
    outcome: allow
  - match:
      tool: proxmox_host_exec
    outcome: maybe
`),
    ).toEqual([
      '1:10 `extends` must be read-only, careful, standard or open',
      '5:7 `rules[0].match.vmids` is not a known field; did you mean `vmid`?',
      '6:23 `rules[0].match.effect[1]` must be read, write, destroy or exec',
      '8:5 `rules[1].rule` is missing',
      '10:14 `rules[1].outcome` must be allow, confirm or deny',
    ]);
  });

  test.each([
    ['', '1:1 the file is empty'],
    ['[]', '1:1 the file must be a mapping with extends, default, exact_commands and rules'],
    ['rules: {}', '1:8 `rules` must be a list of rules'],
    ['rules: [x]', '1:9 `rules[0]` must be a mapping with rule, match and outcome'],
    ['extends: open\nextends: standard', '2:1 Map keys must be unique'],
    [
      'rules: [{rule: a, outcome: deny}\n',
      '2:1 Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['exact_commands: ["df -h; reboot"]', /^1:18 `exact_commands\[0\]` must be words/],
    ['exact_commands: ["FOO=1 df"]', /must be words/],
    ['exact_commands: ["df  -h"]', /must be words/],
    ['exact_commands: ["cat ~/x"]', /must be words/],
    ['exact_commands: ["df -h "]', /must be words/],
    ['exact_commands: ["df\\n-h"]', /must be words/],
  ])('include %j', (text, expected) => {
    expect(errorsOf(text)[0]).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    );
  });

  test.each([
    ['vmid: 99', '`rules[0].match.vmid` must be a vmid (100 to 999999999) or a range such as "200-299"'],
    ['vmid: "0x65"', 'must be a vmid'],
    ['vmid: [101, 1e2, web]', '1:59 `rules[0].match.vmid[2]` must be a vmid'],
    ['vmid: 300-200', '`rules[0].match.vmid` must be a range from the lower to the higher vmid'],
    ['vmid: []', '`rules[0].match.vmid` must not be an empty list'],
    ['time: {}', '`rules[0].match.time` must have days, hours or both'],
    ['time: {days: moonday}', 'must be one of sun'],
    ['time: {hours: "9-17"}', 'must be a range such as "22:00-06:00"'],
    ['time: {hours: "09:00-09:00"}', 'must not begin and end at the same time'],
    ['time: {days: mon, zone: Mars/Base}', 'must be the name of a time zone'],
    ['force: maybe', 'must be true or false'],
    ['name: ""', 'must be one line of 1 to 200 characters'],
    ['tool: stop_contaner', '"stop_contaner" matches no tool; did you mean stop_container?'],
    ['tool: zfs_*', '"zfs_*" matches no tool'],
    ['command: rm', '`rules[0].match.command` is not a known field'],
  ])('include the field %s', (field, expected) => {
    const text = `rules: [{rule: a, outcome: deny, match: {${field}}}]`;
    expect(errorsOf(text)).toEqual([expect.stringContaining(expected)]);
  });

  test('rejects two rules with the same name', () => {
    expect(errorsOf('rules:\n  - {rule: a, outcome: deny}\n  - {rule: a, outcome: allow}')).toEqual([
      '3:12 `rules[1].rule` must be unique, but an earlier rule is also named "a"',
    ]);
  });

  test('include files that expand beyond the limits', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
      .split('')
      .map((name, index) => `${name}: &${name} [${`*${'abcdefg'[index]},`.repeat(9)}]`)
      .join('\n')}`;
    expect(errorsOf(bomb)).toEqual([expect.stringContaining('1:1 Excessive alias count')]);
    expect(errorsOf(`rules: []\n#${' '.repeat(1_000_000)}`)).toEqual(['1:1 the file is larger than 1 MB']);
  });
});
