import { describe, expect, test } from 'vitest';
import type { ContainerAttributes } from '../../remote/remote-types.ts';
import { evaluatePolicy } from './evaluate.ts';
import { parsePolicy } from './parse-policy.ts';
import type { PresetName, Subject } from './policy-types.ts';
import { presetRules } from './presets.ts';
import type { RuleSet } from './rules.ts';
import { STOP_CALL } from './subject.fixture.ts';

const stop = STOP_CALL;
const start: Subject = { ...stop, tool: 'proxmox_start_container', effect: 'write', canForce: false };
const exec: Subject = {
  ...start,
  tool: 'proxmox_container_exec_command',
  effect: 'exec',
  command: 'rm -r /srv',
};
const upload: Subject = { ...start, tool: 'proxmox_upload_file_to_container', canOverwrite: true };
const download: Subject = { ...upload, tool: 'proxmox_download_file_from_container', canExpectName: false };
const status: Subject = { ...start, tool: 'proxmox_container_status', effect: 'read', canExpectName: false };
const list: Subject = { ...status, tool: 'proxmox_list_containers', target: 'cluster', vmid: null };
const hostExec: Subject = {
  ...exec,
  tool: 'proxmox_host_exec_command',
  target: 'host',
  vmid: null,
  canExpectName: false,
};
const hostUpload: Subject = { ...upload, tool: 'proxmox_upload_file_to_host', target: 'host', vmid: null };

const web: ContainerAttributes = {
  vmid: 101,
  name: 'web-1',
  node: 'pve1',
  pool: 'prod',
  tags: ['http', 'team-a'],
};
const precious: ContainerAttributes = { ...web, tags: ['Protected'] };

function fileRules(text: string): RuleSet {
  const parsed = parsePolicy(text, { protectedTag: 'protected', tools: ['proxmox_stop_container'] });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.set;
}

/** A rule set with one rule that denies calls with these fields; everything else is allowed. */
const denying = (fields: string) =>
  fileRules(`default: allow\nrules: [{rule: r, outcome: deny, match: {${fields}}}]`);

/** Decides, and counts how often the attributes were read. */
async function ask(set: RuleSet, subject: Subject, guest: ContainerAttributes | undefined = web) {
  let asked = 0;
  const decision = await evaluatePolicy(set, subject, async () => {
    asked += 1;
    return guest;
  });
  return { ...decision, asked };
}

describe('each field of a rule matches only the named values', () => {
  test.each<[fields: string, hit: Partial<Subject>, miss: Partial<Subject>]>([
    ['tool: stop_container', {}, { tool: 'proxmox_start_container' }],
    ['tool: proxmox_stop_*', {}, { tool: 'proxmox_start_container' }],
    ['target: container', {}, { target: 'host', vmid: null }],
    ['effect: destroy', {}, { effect: 'write' }],
    ['vmid: 101', {}, { vmid: 102 }],
    ['vmid: 100-101', {}, { vmid: 102 }],
    ['vmid: 101-101', {}, { vmid: null }],
    ['caller: local', {}, { caller: 'ci' }],
    ['caller: "c?"', { caller: 'ci' }, { caller: 'CI2' }],
    ['force: true', { force: true }, {}],
    ['force: false', {}, { force: true }],
    ['overwrite: true', { ...upload, overwrite: true }, upload],
    ['overwrite: false', upload, { ...upload, overwrite: true }],
    ['time: {days: fri, zone: UTC}', {}, { at: new Date('2026-11-21T12:00:00Z') }],
    ['time: {hours: "11:00-13:00", zone: UTC}', {}, { at: new Date('2026-11-20T13:00:00Z') }],
    ['tool: stop_container, vmid: 101', {}, { vmid: 102 }],
  ])('%s', async (fields, hit, miss) => {
    const set = denying(fields);
    expect(await ask(set, { ...stop, ...hit })).toMatchObject({ outcome: 'deny', rule: 'r', asked: 0 });
    expect(await ask(set, { ...stop, ...miss })).toMatchObject({
      outcome: 'allow',
      rule: 'default',
      asked: 0,
    });
  });

  test.each<[fields: string, miss: Partial<ContainerAttributes>]>([
    ['name: web-*', { name: 'db-1' }],
    ['name: web-1', { name: 'web-10' }],
    ['name: WEB-1', { name: 'web-10' }],
    ['node: PVE1', { node: 'pve2' }],
    ['tag: HTTP', { tags: ['smtp'] }],
    ['tag: team-?', { tags: [] }],
    ['tag: [x, http]', { tags: ['y'] }],
    ['pool: prod', { pool: null }],
    ['pool: "*"', { pool: null }],
    ['node: pve1', { node: 'pve2' }],
    ['name: web-1, tag: http', { tags: ['smtp'] }],
  ])('matches %s of the container', async (fields, miss) => {
    const set = denying(fields);
    // Read again before the refusal: the known attributes may be old.
    expect(await ask(set, stop)).toMatchObject({ outcome: 'deny', rule: 'r', attributes: web, asked: 2 });
    const other = { ...web, ...miss };
    expect(await ask(set, stop, other)).toMatchObject({ outcome: 'allow', attributes: other, asked: 1 });
  });

  test('never matches a rule about containers for a call without a container', async () => {
    for (const fields of ['vmid: 100-999999999', 'name: "*"', 'tag: "*"', 'node: "*"']) {
      expect(await ask(denying(fields), hostExec)).toMatchObject({ outcome: 'allow', asked: 0 });
      expect(await ask(denying(fields), list)).toMatchObject({ outcome: 'allow', asked: 0 });
    }
  });
});

describe('the caller of a JWT', () => {
  const by = (outcome: string, caller: string, pattern = 'alice@example.com') => {
    const other = outcome === 'allow' ? 'deny' : 'allow';
    const set = fileRules(
      `default: ${other}\nrules: [{rule: r, outcome: ${outcome}, match: {caller: "${pattern}"}}]`,
    );
    return ask(set, { ...stop, caller });
  };

  test.each(['deny', 'confirm'])('matches a rule that says %s with and without oauth:', async (outcome) => {
    for (const caller of ['alice@example.com', 'oauth:alice@example.com'])
      expect(await by(outcome, caller)).toMatchObject({ outcome, rule: 'r' });
    expect(await by(outcome, 'oauth:web-1', 'web-*')).toMatchObject({ outcome, rule: 'r' });
    expect(await by(outcome, 'oauth:bob@example.com')).toMatchObject({ rule: 'default' });
  });

  test('matches an allow rule only by the exact name', async () => {
    expect(await by('allow', 'oauth:alice@example.com')).toMatchObject({ outcome: 'deny', rule: 'default' });
    expect(await by('allow', 'oauth:alice@example.com', 'oauth:alice@*')).toMatchObject({ rule: 'r' });
  });
});

test('supports a rule that requires confirmation at a terminal', async () => {
  const set = fileRules(
    'default: confirm\nrules: [{rule: r, outcome: confirm, confirm: terminal, match: {vmid: 101}}]',
  );
  expect(await ask(set, stop)).toMatchObject({ outcome: 'confirm', confirmAtTerminal: true });
  expect(await ask(set, { ...stop, vmid: 102 })).toMatchObject({
    outcome: 'confirm',
    confirmAtTerminal: false,
  });
});

describe('order', () => {
  const set = fileRules(`rules:
  - {rule: first, outcome: allow, match: {vmid: 101}}
  - {rule: second, outcome: confirm, match: {vmid: 101-102}, reason: Ask first.}
  - {rule: last, outcome: deny, match: {vmid: 101-103}}`);

  test('lets the first matching rule decide, else the default', async () => {
    expect(await ask(set, stop)).toMatchObject({ outcome: 'allow', rule: 'first', code: null, reason: null });
    expect(await ask(set, { ...stop, vmid: 102 })).toMatchObject({
      outcome: 'confirm',
      reason: 'Ask first.',
    });
    expect(await ask(set, { ...stop, vmid: 103 })).toMatchObject({ outcome: 'deny', rule: 'last' });
    expect(await ask(set, { ...stop, vmid: 104 })).toMatchObject({
      outcome: 'deny',
      rule: 'default',
      code: 'POLICY_DENIED',
      reason: 'No rule of the policy allows the call.',
    });
  });

  test('reads the container at most once, and only for rules that need it', async () => {
    const lazy = fileRules(`default: allow
rules:
  - {rule: a, outcome: deny, match: {tag: x, vmid: 200}}
  - {rule: b, outcome: deny, match: {tag: x, vmid: 101-102}}
  - {rule: c, outcome: deny, match: {name: x}}
  - {rule: d, outcome: allow, match: {vmid: 300}}
  - {rule: e, outcome: deny, match: {pool: x}}`);
    expect((await ask(lazy, stop)).asked).toBe(1);
    expect((await ask(lazy, hostExec)).asked).toBe(0);
    const early = fileRules('rules: [{rule: a, outcome: allow}, {rule: b, outcome: deny, match: {tag: x}}]');
    expect(await ask(early, stop)).toMatchObject({ asked: 0, attributes: null });
  });

  test.each([
    ['[{rule: a, outcome: deny, match: {tag: x}}]', ['pool']],
    ['[{rule: a, outcome: deny, match: {pool: x}}]', []],
    ['[{rule: a, outcome: deny, match: {name: x}}, {rule: b, outcome: deny, match: {pool: x}}]', []],
    ['[{rule: a, outcome: allow, match: {tag: a}}, {rule: b, outcome: deny, match: {pool: x}}]', ['pool']],
    ['[{rule: a, outcome: deny, match: {vmid: 300, pool: x}}]', ['pool']],
  ])('lets the pool change unless a rule that was tried depends on it: %s', async (rules, unneeded) => {
    const set = fileRules(`default: allow\nrules: ${rules}`);
    const decision = await evaluatePolicy(set, stop, async () => ({ ...web, tags: ['a'] }));
    expect(decision).toMatchObject({ outcome: 'allow', unneeded });
  });

  test('denies by the rule that needs attributes that cannot be read', async () => {
    const tagged = fileRules('default: allow\nrules: [{rule: open, outcome: allow, match: {tag: http}}]');
    const decision = await evaluatePolicy(tagged, stop, async () => undefined);
    expect(decision).toMatchObject({
      outcome: 'deny',
      rule: 'open',
      code: 'ATTRIBUTES_UNREADABLE',
      attributes: null,
    });
    expect(await evaluatePolicy(tagged, hostExec, async () => undefined)).toMatchObject({ outcome: 'allow' });
  });

  test('reads the container again before it denies or asks for confirmation', async () => {
    const looks: (string | undefined)[] = [];
    const set = fileRules(
      'default: allow\nrules: [{rule: a, outcome: deny, match: {tag: x}}, {rule: b, outcome: confirm, match: {tag: y}}]',
    );
    const known = (tag: string, now: string) =>
      evaluatePolicy(set, stop, async (look) => {
        looks.push(look);
        return { ...web, tags: [look === 'again' ? now : tag] };
      });
    expect(await known('x', 'z')).toMatchObject({ outcome: 'allow', attributes: { tags: ['z'] } });
    expect(await known('y', 'x')).toMatchObject({ outcome: 'deny', rule: 'a' });
    expect(await known('x', 'y')).toMatchObject({ outcome: 'confirm', attributes: { tags: ['y'] } });
    expect(looks).toEqual([undefined, 'again', undefined, 'again', undefined, 'again']);
  });

  test('denies the call when reading the container fails', async () => {
    const gone = new Error('no such container');
    await expect(evaluatePolicy(denying('tag: x'), stop, () => Promise.reject(gone))).rejects.toBe(gone);
  });
});

describe('exact commands', () => {
  const readers = presetRules('read-only', 'protected');

  test.each(['df -h', 'pct list', 'ip route'])('allow %s in a container and on the host', async (command) => {
    expect(await ask(readers, { ...exec, command })).toMatchObject({ outcome: 'allow', effect: 'read' });
    expect(await ask(readers, { ...hostExec, command })).toMatchObject({ outcome: 'allow', effect: 'read' });
  });

  test.each([
    'df -h ',
    ' df -h',
    'df  -h',
    'DF -h',
    'df -h;id',
    'df -h\nid',
    'df -h # x',
    'df -h $(id)',
    'df',
    'ls $(reboot)',
    'df\u00a0-h',
    '',
  ])('do not include %j', async (command) => {
    expect(await ask(readers, { ...exec, command })).toMatchObject({ outcome: 'deny', effect: 'exec' });
  });

  test('match rules on read, and not rules on exec', async () => {
    const noExec = fileRules('default: allow\nrules: [{rule: r, outcome: deny, match: {effect: exec}}]');
    expect(await ask(noExec, { ...exec, command: 'uptime' })).toMatchObject({ outcome: 'allow' });
    const noRead = fileRules('default: allow\nrules: [{rule: r, outcome: deny, match: {effect: read}}]');
    expect(await ask(noRead, { ...exec, command: 'uptime' })).toMatchObject({ outcome: 'deny' });
    expect(await ask(noRead, exec)).toMatchObject({ outcome: 'allow' });
  });
});

describe('expect_name', () => {
  const open = presetRules('open', 'protected');

  test('accepts the right name and makes it part of the decision', async () => {
    expect(await ask(open, { ...stop, expectName: 'web-1' })).toMatchObject({
      outcome: 'allow',
      attributes: web,
    });
  });

  test('ignores case, as host names do', async () => {
    expect(await ask(open, { ...stop, expectName: 'WEB-1' })).toMatchObject({ outcome: 'allow' });
  });

  test.each(['web-10', 'web-', '*'])('rejects %s', async (expectName) => {
    expect(await ask(open, { ...stop, expectName })).toMatchObject({
      outcome: 'deny',
      code: 'WRONG_TARGET',
      reason: `Container 101 is named "web-1", not "${expectName}".`,
    });
  });

  test('is also compared under confirm rules, and bypasses no rule', async () => {
    const careful = presetRules('careful', 'protected');
    expect(await ask(careful, { ...stop, expectName: 'db' })).toMatchObject({ code: 'WRONG_TARGET' });
    expect(await ask(denying('vmid: 101'), { ...stop, expectName: 'web-1' })).toMatchObject({
      code: 'POLICY_DENIED',
      asked: 0,
    });
  });

  test('denies the call when the name cannot be read', async () => {
    const decision = await evaluatePolicy(open, { ...stop, expectName: 'web-1' }, async () => undefined);
    expect(decision).toMatchObject({ outcome: 'deny', code: 'ATTRIBUTES_UNREADABLE' });
  });

  test('can be required by a rule, for tools that support it', async () => {
    const set = fileRules('rules: [{rule: say who, outcome: allow, require: expect_name}]');
    expect(await ask(set, stop)).toMatchObject({
      outcome: 'deny',
      rule: 'say who',
      code: 'POLICY_DENIED',
      reason: expect.stringContaining('`expect_name`'),
    });
    expect(await ask(set, { ...stop, expectName: 'web-1' })).toMatchObject({ outcome: 'allow' });
    expect(await ask(set, { ...stop, expectName: 'web-2' })).toMatchObject({ code: 'WRONG_TARGET' });
    for (const subject of [status, download, list, hostExec]) {
      expect(await ask(set, subject)).toMatchObject({ outcome: 'allow' });
    }
  });
});

describe('presets', () => {
  const outcomes = async (preset: PresetName, guest: ContainerAttributes) => {
    const calls = {
      list,
      status,
      start,
      stop,
      kill: { ...stop, force: true },
      exec,
      'df -h': { ...exec, command: 'df -h' },
      upload,
      overwrite: { ...upload, overwrite: true },
      download,
      'host exec': hostExec,
      'host upload': hostUpload,
    };
    const set = presetRules(preset, 'protected');
    const told = await Promise.all(
      Object.entries(calls).map(async ([name, call]) => `${name}: ${(await ask(set, call, guest)).outcome}`),
    );
    return (outcome: string) =>
      told.filter((line) => line.endsWith(outcome)).map((line) => line.slice(0, line.indexOf(':')));
  };
  const all = [
    'list',
    'status',
    'start',
    'stop',
    'kill',
    'exec',
    'df -h',
    'upload',
    'overwrite',
    'download',
    'host exec',
    'host upload',
  ];

  test('open allows everything, also in protected containers', async () => {
    expect((await outcomes('open', precious))('allow')).toEqual(all);
  });

  test('standard asks for nothing in other containers', async () => {
    expect((await outcomes('standard', web))('allow')).toEqual(all);
  });

  test('careful asks for confirmation before destroy, kill, overwrite and host calls', async () => {
    const told = await outcomes('careful', web);
    expect(told('confirm')).toEqual(['stop', 'kill', 'overwrite', 'host exec', 'host upload']);
    expect(told('deny')).toEqual([]);
  });

  test.each(['standard', 'careful'] as const)(
    '%s asks for confirmation of every change of a protected container',
    async (name) => {
      const told = await outcomes(name, precious);
      const inContainer = ['start', 'stop', 'kill', 'exec', 'upload', 'overwrite', 'download'];
      expect(told('confirm').filter((call) => !call.startsWith('host'))).toEqual(inContainer);
      expect(told('allow').slice(0, 3)).toEqual(['list', 'status', 'df -h']);
    },
  );

  test('use the tag of PROTECTED_TAG', async () => {
    const set = presetRules('standard', 'precious');
    expect(await ask(set, start, precious)).toMatchObject({ outcome: 'allow' });
    expect(await ask(set, start, { ...web, tags: ['precious'] })).toMatchObject({ outcome: 'confirm' });
  });

  test('read-only allows reading and exact commands', async () => {
    expect((await outcomes('read-only', web))('allow')).toEqual(['list', 'status', 'df -h']);
  });
});
