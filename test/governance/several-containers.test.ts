import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { failureOf } from '../e2e/connect.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { connectClient, type Responder, type TestClient } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';

const node = new SimulatedNode();
beforeAll(() => node.start());
afterAll(() => node.stop());

let dir: string;
const clients: TestClient[] = [];
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'several-'));
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await node.reset();
  for (const vmid of everywhere.vmids) await node.inContainer(vmid, ['rm', '-f', '/tmp/ran']);
  await rm(dir, { recursive: true, force: true });
});

const RULES = `rules:
  - { rule: no, outcome: deny, match: { vmid: ${CT.locked} }, reason: It is locked. }
  - { rule: ask, outcome: confirm, match: { effect: exec, tag: web } }
default: allow
`;

async function connect(
  rules: string,
  respond?: Responder,
  env: Record<string, string> = {},
): Promise<TestClient> {
  await writeFile(path.join(dir, 'policy.yaml'), rules);
  const client = await connectClient({
    era: 'legacy',
    ...(respond === undefined ? {} : { respond }),
    env: {
      ...node.settings(),
      POLICY_FILE: path.join(dir, 'policy.yaml'),
      STATE_DIR: path.join(dir, 'state'),
      ...env,
    },
  });
  clients.push(client);
  return client;
}

const row = z.object({ vmid: z.number(), code: z.string().optional(), exit_code: z.number().nullable() });
const rowsOf = (data: unknown) =>
  z
    .object({ containers: z.array(row) })
    .parse(data)
    .containers.map(({ vmid, code, exit_code }) => [vmid, code ?? exit_code]);

const command = 'touch /tmp/ran; exit 3';
const everywhere = { vmids: [CT.debian, CT.busybox, CT.locked], command };
const ran = async (vmid: number) => (await node.inContainer(vmid, ['ls', '/tmp'])).stdout.includes('ran');

test('asks once for the whole set, returns a row for a refused container, and logs each container', async () => {
  const questions: string[] = [];
  const client = await connect(RULES, async (question) => {
    questions.push(question);
    expect(await ran(CT.busybox)).toBe(false);
    return { action: 'accept', content: { allow: true } };
  });
  const { data, text } = await client.callTool('proxmox_exec_in_containers', everywhere);
  expect(rowsOf(data)).toEqual([
    [CT.debian, 3],
    [CT.busybox, 3],
    [CT.locked, 'POLICY_DENIED'],
  ]);
  expect(text).toContain(`Skipped ${CT.locked} (locked): POLICY_DENIED: `);
  expect(await ran(CT.locked)).toBe(false);
  expect(questions).toHaveLength(1);
  expect(questions[0]).toContain(`Container: ${CT.debian}, debian`);
  expect(questions[0]).toContain(`Also in, without approval: ${CT.busybox}`);
  expect(questions[0]).toContain(`  | ${command}`);
  await client.close();
  const [segment = ''] = await readdir(path.join(dir, 'state', 'audit'));
  const lines = (await readFile(path.join(dir, 'state', 'audit', segment), 'utf8')).trim().split('\n');
  const entry = z.object({
    type: z.string(),
    call: z.string().optional(),
    vmid: z.number().nullish(),
    rule: z.string().optional(),
    approval: z.string().nullish(),
    code: z.string().optional(),
    exitCode: z.number().nullish(),
  });
  const entries = lines.map((line) => entry.parse(JSON.parse(line)));
  const begun = entries.filter(({ type }) => type === 'begin');
  expect(begun.map(({ vmid, rule, approval }) => [vmid, rule, approval != null]).sort()).toEqual([
    [CT.debian, 'ask', true],
    [CT.busybox, 'default', false],
  ]);
  expect(entries.filter(({ type }) => type === 'refused')).toMatchObject([{ vmid: CT.locked, rule: 'no' }]);
  const ended = entries.filter(({ type }) => type === 'end');
  expect(ended.map(({ call }) => call).sort()).toEqual(begun.map(({ call }) => call).sort());
  expect(ended).toMatchObject([
    { code: 'ok', exitCode: 3 },
    { code: 'ok', exitCode: 3 },
  ]);
});

test('runs the command in no container after a refusal', async () => {
  const client = await connect(RULES, async () => ({ action: 'decline' }));
  const refused = failureOf(await client.callTool('proxmox_exec_in_containers', everywhere));
  expect(refused.code).toBe('CONFIRMATION_REFUSED');
  for (const vmid of everywhere.vmids) expect(await ran(vmid)).toBe(false);
});

test('excludes a container that changes during the question, and runs the command in the others', async () => {
  const client = await connect(RULES, async () => {
    await node.setConf(CT.debian, 'arch: amd64\nhostname: other\ntags: web\n');
    return { action: 'accept', content: { allow: true } };
  });
  const { data } = await client.callTool('proxmox_exec_in_containers', everywhere);
  expect(rowsOf(data)).toEqual([
    [CT.debian, 'TARGET_CHANGED'],
    [CT.busybox, 3],
    [CT.locked, 'POLICY_DENIED'],
  ]);
  expect(await ran(CT.debian)).toBe(false);
});

test('includes the check of a batch in the approval', async () => {
  const client = await connect(RULES, async () => ({ action: 'accept', content: { allow: true } }));
  const args = { ...everywhere, command: 'true', check: 'echo checked; exit 1' };
  const { data } = await client.callTool('proxmox_exec_in_containers', args);
  expect(rowsOf(data).slice(0, 2)).toEqual([
    [CT.debian, 0],
    [CT.busybox, 0],
  ]);
  expect(JSON.stringify(data)).toContain('"stdout":"checked\\n"');
});

test('does not classify an exact command with a check as reading', async () => {
  const client = await connect('extends: read-only\n');
  const args = { vmids: [CT.debian], command: 'df -h' };
  expect(rowsOf((await client.callTool('proxmox_exec_in_containers', args)).data)).toEqual([[CT.debian, 0]]);
  const checked = await client.callTool('proxmox_exec_in_containers', { ...args, check: 'touch /tmp/ran' });
  expect(failureOf(checked).code).toBe('POLICY_DENIED');
  expect(await ran(CT.debian)).toBe(false);
});

test('refuses a container whose rule requires expect_name, which this tool does not have', async () => {
  const rule = `{ rule: named, outcome: allow, require: expect_name, match: { vmid: ${CT.debian}, effect: exec } }`;
  const client = await connect(`rules: [${rule}]\ndefault: allow\n`);
  const { data } = await client.callTool('proxmox_exec_in_containers', everywhere);
  expect(rowsOf(data)).toEqual([
    [CT.debian, 'POLICY_DENIED'],
    [CT.busybox, 3],
    [CT.locked, 3],
  ]);
  expect(JSON.stringify(data)).toContain('call a tool on this container alone');
});

describe('with a different command for each', () => {
  const commands = {
    [CT.debian]: 'touch /tmp/ran; exit 3',
    [CT.busybox]: 'df -h',
    [CT.locked]: 'touch /tmp/ran',
  };
  const auditEntries = async () => {
    const [segment = ''] = await readdir(path.join(dir, 'state', 'audit'));
    const lines = (await readFile(path.join(dir, 'state', 'audit', segment), 'utf8')).trim().split('\n');
    const entry = z.object({
      type: z.string(),
      vmid: z.number().nullish(),
      effect: z.string().optional(),
      args: z.record(z.string(), z.unknown()).optional(),
    });
    return lines.map((line) => entry.parse(JSON.parse(line)));
  };

  test('asks once, with each command and its containers, and logs each container with its command', async () => {
    const questions: string[] = [];
    const client = await connect(RULES, async (question) => {
      questions.push(question);
      return { action: 'accept', content: { allow: true } };
    });
    const { data } = await client.callTool('proxmox_exec_in_containers', { commands, timeout: 20 });
    expect(rowsOf(data)).toEqual([
      [CT.debian, 3],
      [CT.busybox, 0],
      [CT.locked, 'POLICY_DENIED'],
    ]);
    expect([await ran(CT.debian), await ran(CT.locked)]).toEqual([true, false]);
    expect(questions).toHaveLength(1);
    const [question = ''] = questions;
    expect(question).toContain(`Also in, without approval: ${CT.busybox}`);
    expect(question).toContain(
      `\n\nCommand in ${CT.debian} (22 characters):\n  | touch /tmp/ran; exit 3\n\nCommand in ${CT.busybox} (5 characters):\n  | df -h`,
    );
    expect(question).not.toContain(`Command in ${CT.locked}`);
    await client.close();
    const entries = await auditEntries();
    const logged = entries.filter(({ type }) => type !== 'end' && type !== 'start');
    const args = new Map(logged.map(({ vmid, args: each }) => [vmid, each]));
    for (const [vmid, command] of Object.entries(commands))
      expect(args.get(Number(vmid))).toEqual({ command, timeout: 20 });
  });

  test('decides on each container by its command', async () => {
    const client = await connect('extends: read-only\n');
    const { data } = await client.callTool('proxmox_exec_in_containers', { commands });
    expect(rowsOf(data)).toEqual([
      [CT.debian, 'POLICY_DENIED'],
      [CT.busybox, 0],
      [CT.locked, 'POLICY_DENIED'],
    ]);
    expect(await ran(CT.debian)).toBe(false);
    const check = { commands: { [CT.busybox]: 'df -h' }, check: 'touch /tmp/ran' };
    const checked = await client.callTool('proxmox_exec_in_containers', check);
    expect(failureOf(checked).code).toBe('POLICY_DENIED');
  });

  test('redacts a secret in the command of a container in the audit log', async () => {
    const secret = 'ghp_012345678901234567890123456789012345';
    const client = await connect('default: allow\n');
    await client.callTool('proxmox_exec_in_containers', {
      commands: { [CT.debian]: `: ${secret}`, [CT.busybox]: ': plain' },
    });
    await client.close();
    const entries = await auditEntries();
    expect(JSON.stringify(entries)).not.toContain('ghp_');
    const logged = entries.find(({ vmid, type }) => vmid === CT.debian && type === 'begin');
    expect(logged?.args?.command).toMatch(/^: \[redacted: /);
  });
});
