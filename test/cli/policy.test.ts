import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parsePolicy } from '../../src/governance/policy/parse-policy.ts';
import { PRESET_NAMES } from '../../src/governance/policy/policy-types.ts';
import { presetRules } from '../../src/governance/policy/presets.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { CT } from '../rig/rig.ts';
import { runCli } from './run.ts';

let cwd = '';
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'proxmox-mcp-policy-cli-'));
  await writeFile(path.join(cwd, 'good.yaml'), GOOD);
  await writeFile(
    path.join(cwd, 'bad.yaml'),
    'default: deny\nrules:\n  - rule: a\n    match: {vmid: 7}\n    outcom: deny\n',
  );
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

const GOOD = `extends: careful
rules:
  - rule: no databases
    match: {tag: db, effect: [destroy, exec]}
    outcome: deny
    reason: Databases are looked after by people.
  - rule: night
    match: {time: {days: fri, hours: "22:00-06:00", zone: UTC}, tool: stop_container}
    outcome: allow
  - rule: nothing on the node
    match: {target: host}
    outcome: deny
  - rule: dead
    match: {tool: host_exec_command, caller: ci}
    outcome: allow
  - rule: mail
    match: {caller: alice@example.com, tag: web}
    outcome: allow
`;

const policy = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCli(['policy', ...args], { cwd, env });

describe('policy check', () => {
  test('prints what each tool may do and warns of unreachable rules, without any setting', async () => {
    const { code, stdout, stderr } = await policy(['check', 'good.yaml']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('good.yaml:13: warning: rule "dead" is unreachable');
    expect(stdout.match(/warning/g)).toHaveLength(2);
    expect(stdout).toContain('the caller of a JWT is named "oauth:alice@example.com"');
    expect(stdout).toContain('good.yaml is valid: 5 rules, then the rules of careful; default: allow.');
    expect(stdout).toContain('Outcomes for the caller local (for another one: --caller NAME):\n');
    expect(stdout).toMatch(/^stop_container +destroy +allow or confirm or deny$/m);
    expect(stdout).toMatch(/^list_containers +read +allow$/m);
  });

  test('prints every error with line and column, and exits with 1', async () => {
    const { code, stdout } = await policy(['check', 'bad.yaml']);
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([
      'bad.yaml:3:5: `rules[0].outcome` is missing',
      expect.stringMatching(/^bad\.yaml:4:19: `rules\[0\]\.match\.vmid` must be a vmid/),
      'bad.yaml:5:5: `rules[0].outcom` is not a known field; did you mean `outcome`?',
      '',
    ]);
  });

  test('prints the same as JSON', async () => {
    const good = await policy(['check', 'good.yaml', '--json']);
    expect(JSON.parse(good.stdout)).toMatchObject({ ok: true, warnings: [{ line: 13 }, { line: 16 }] });
    const bad = await policy(['check', 'bad.yaml', '--json']);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      ok: false,
      errors: [{ line: 3 }, { line: 4 }, { line: 5 }],
    });
    expect(bad.code).toBe(1);
  });

  test.each([
    [['check'], 2, 'policy check needs one FILE'],
    [['chek', 'good.yaml'], 2, 'policy needs check, explain, show or schema'],
    [[], 2, 'policy needs check'],
    [['show', 'standart'], 2, 'Did you mean standard?'],
    [['explain', 'stop_contaner'], 2, 'Did you mean stop_container?'],
    [['explain', 'stop_container', 'vmid=1'], 2, 'Error (INVALID_INPUT)'],
    [['explain', 'stop_container', 'vmid=101', '--at', 'soon'], 2, '--at needs a time'],
    [['explain', 'stop_container', 'vmid=101', '--guest', 'nam=x'], 2, '--guest needs name=…'],
    [['explain', 'stop_container', 'vmid=101'], 2, 'give them with --guest'],
  ])('%j: exits with %i, %s', async (args, expected, message) => {
    const { code, stdout, stderr } = await policy(args);
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('reports a missing file', async () => {
    const { code, stdout } = await policy(['check', 'none.yaml']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'none.yaml:1:1: the file does not exist\n' });
  });
});

describe('policy explain', () => {
  const explain = (...args: readonly string[]) =>
    policy(['explain', ...args, '--policy-file', 'good.yaml', '--json']);

  test.each<[string, readonly string[], object]>([
    [
      'prints the rule, its reason and its line',
      ['stop_container', '{"vmid": 101}', '--guest', 'name=pg,tags=db+x'],
      {
        outcome: 'deny',
        rule: 'no databases',
        line: 3,
        reason: 'Databases are looked after by people.',
        passed: [],
      },
    ],
    [
      'evaluates the rule at another time',
      ['stop_container', 'vmid=101', '--guest', 'name=web', '--at', '2026-11-20T23:00Z'],
      { outcome: 'allow', rule: 'night', passed: [{ rule: 'no databases', because: ['tag'] }] },
    ],
    [
      'names a rule of the preset',
      ['stop_container', 'vmid=101', '--guest', 'name=web', '--at', '2026-11-20T12:00Z'],
      { outcome: 'confirm', rule: 'careful: destroy', line: null },
    ],
    [
      'reports a wrong name',
      ['start_container', 'vmid=101', 'expect_name=web', '--guest', 'name=db-1'],
      { outcome: 'deny', code: 'WRONG_TARGET', reason: 'Container 101 is named "db-1", not "web".' },
    ],
    [
      'allows an exact command without reading the container',
      ['container_exec_command', 'vmid=101', 'command=df -h'],
      { outcome: 'allow', effect: 'read', guest: null },
    ],
    [
      'explains a call on several containers for one of them',
      [
        'exec_in_containers',
        'vmids=101',
        'command=reboot',
        '--guest',
        'name=web',
        '--at',
        '2026-11-20T12:00Z',
      ],
      { outcome: 'allow', rule: 'careful: everything else' },
    ],
    [
      'explains one of different commands',
      ['exec_in_containers', 'commands={"101": "df -h"}'],
      { outcome: 'allow', effect: 'read', guest: null },
    ],
    [
      'reports a limit of another setting',
      ['host_exec_command', 'command=id'],
      { outcome: 'deny', rule: 'HOST_ACCESS_DISABLED' },
    ],
  ])('%s', async (_what, args, expected) => {
    const { code, stdout, stderr } = await explain(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject(expected);
  });

  test('requires one container for a call on several', async () => {
    const { code, stderr } = await explain('exec_in_containers', 'name=web*', 'command=reboot');
    expect(code).toBe(2);
    expect(stderr).toContain('name one, with vmids=VMID');
    const several = await explain('exec_in_containers', 'commands={"101": "df -h", "102": "reboot"}');
    expect(several).toMatchObject({ code: 2, stderr: expect.stringContaining('name one') });
  });

  test('prints text for people', async () => {
    const { stdout } = await policy([
      'explain',
      'stop_container',
      'vmid=101',
      '--guest',
      'name=web,node=pve1',
      '--caller',
      'ci',
      '--policy',
      'careful',
    ]);
    expect(stdout).toMatch(
      /^proxmox_stop_container, called by ci: confirm\n {2}rule +careful: destroy \(preset\)$/m,
    );
    expect(stdout).toContain('101 "web", node pve1');
    expect(stdout).toContain('careful: kill: force');
  });

  test('reads the container from the node', async () => {
    const node = new SimulatedNode();
    await node.start();
    try {
      const undo = await node.setConf(CT.debian, 'hostname: pg\nmemory: 64\ntags: db\n');
      const args = ['explain', 'stop_container', `vmid=${CT.debian}`, '--policy-file', 'good.yaml', '--json'];
      const env = { ...node.settings(), LOG_LEVEL: '' };
      const { stdout, stderr } = await policy(args, env);
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toMatchObject({ rule: 'no databases', guest: { name: 'pg', tags: ['db'] } });
      await undo();
    } finally {
      await node.stop();
    }
  });
});

describe('policy show', () => {
  test.each(PRESET_NAMES)('prints %s as an equivalent policy file', async (preset) => {
    const { code, stdout } = await policy(['show', preset]);
    expect(code).toBe(0);
    const parsed = parsePolicy(stdout, { protectedTag: 'protected', tools: TOOLS.map(({ name }) => name) });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    const comparable = (rules: ReturnType<typeof presetRules>) =>
      rules.rules.map(({ line: _, ...rest }) => rest);
    const original = presetRules(preset, 'protected');
    expect(comparable(parsed.set)).toEqual(comparable(original));
    expect(parsed.set.fallback.outcome).toBe(original.fallback.outcome);
    expect([...parsed.set.exactCommands]).toEqual([...original.exactCommands]);
  });

  test('prints the policy in force without a preset name', async () => {
    expect((await policy(['show', '--protected-tag', 'precious'])).stdout).toContain('tag: precious');
    const file = (await policy(['show', '--policy-file', 'good.yaml'])).stdout;
    expect(file).toMatch(/good\.yaml, with the rules of careful, which it extends\./);
    expect(file).toContain('rule: no databases');
    expect(file).toContain('"careful: kill"');
  });
});

test('prints the schema that is committed for editors', async () => {
  const committed = await readFile(new URL('../../docs/policy.schema.json', import.meta.url), 'utf8');
  expect((await policy(['schema'])).stdout).toBe(committed);
});

describe('a server with an invalid policy file', () => {
  const env = { HOST: '192.0.2.1', I_ACCEPT_RISKS: 'true', POLICY_FILE: 'bad.yaml' };

  test.each([[[]], [['tools']], [['call', 'list_containers']]])(
    '%j exits with 2 and reports all errors',
    async (args) => {
      const { code, stdout, stderr } = await runCli(args, { cwd, env });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('line 3, column 5: `rules[0].outcome` is missing.');
      expect(stderr).toContain('line 4, column 19:');
      expect(stderr).toContain('policy check');
    },
  );

  test('rejects POLICY together with POLICY_FILE', async () => {
    const { code, stderr } = await runCli([], { cwd, env: { ...env, POLICY: 'open' } });
    expect(code).toBe(2);
    expect(stderr).toContain('POLICY and POLICY_FILE are both set');
  });

  test.each([
    ['POLICY', 'carefull', 'is not one of read-only, careful, standard, open'],
    ['POLICY_FILE', 'none.yaml', 'does not exist'],
    ['PROTECTED_TAG', 'a b', 'is not a valid Proxmox VE tag'],
  ])('rejects %s=%s', async (name, value, message) => {
    const { code, stderr } = await runCli([], { cwd, env: { ...env, POLICY_FILE: '', [name]: value } });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

test('hides tools under READ_ONLY that the open policy allows', async () => {
  const { stdout } = await runCli(['tools', '--json', '--read-only', '--policy', 'open'], { cwd });
  expect(stdout).not.toContain('exec_command"');
});
