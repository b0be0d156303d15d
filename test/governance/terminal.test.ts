import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerRequest } from '../../src/governance/approval/answer-request.ts';
import { hashPassphrase } from '../../src/governance/approval/passphrase.ts';
import { ApprovalStore } from '../../src/governance/approval/request-store.ts';
import { quoteAll } from '../../src/lib/quote.ts';
import { runCli } from '../cli/run.ts';
import { failureOf } from '../e2e/connect.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { type CallResult, connectClient, serverCommand, type TestClient } from '../mcp/client.ts';
import { CT, initialConf } from '../rig/containers.ts';

const PASSPHRASE = 'correct horse battery';
const CTRL_C = '\u0003';
const node = new SimulatedNode();
let dir: string;
let env: Record<string, string>;
let client: TestClient;
let store: ApprovalStore;

beforeAll(async () => {
  await node.start();
  dir = await mkdtemp(path.join(tmpdir(), 'approvals-'));
  const policy = path.join(dir, 'policy.yaml');
  await writeFile(
    policy,
    'rules:\n  - rule: ask\n    match: { effect: [exec] }\n    outcome: confirm\ndefault: allow\n',
  );
  const state = path.join(dir, 'state');
  env = { ...node.settings(), POLICY_FILE: policy, STATE_DIR: state, APPROVALS: 'terminal' };
  client = await connectClient({ env });
  store = new ApprovalStore(state);
});
afterAll(async () => {
  await client.close();
  await node.stop();
  await rm(dir, { recursive: true, force: true });
});

const call = (command: string, by = client): Promise<CallResult> =>
  by.callTool('proxmox_container_exec_command', { vmid: CT.debian, command });
const codeOf = async (result: Promise<CallResult>) => failureOf(await result).code;

/** Starts the program in a new terminal and types the answers. */
async function atTerminal(
  args: readonly string[],
  typed: readonly string[],
): Promise<{ code: number; screen: string }> {
  const { command, args: all } = serverCommand(args);
  // Such a terminal begins with zero columns.
  const line = `stty cols 130 rows 60; exec ${quoteAll([command, ...all])}`;
  const child = spawn('script', ['-qefc', line, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: dir, TERM: 'xterm', ...env },
  });
  let screen = '';
  let answered = 0;
  child.stdout.setEncoding('utf8').on('data', (data: string) => {
    screen += data;
    const asked = screen.split('◆').length - 1;
    const next = typed[answered];
    if (asked <= answered || next === undefined) return;
    answered += 1;
    child.stdin.write(`${next}\r`);
  });
  const code = await new Promise<number>((resolve) => child.on('close', (it) => resolve(it ?? -1)));
  return { code, screen };
}

async function waitingId(): Promise<string> {
  const [asked] = await store.list();
  return asked?.id ?? '';
}

test('runs a waiting call once after its approval at a terminal', async () => {
  const first = failureOf(await call('echo hello'));
  expect(first.code).toBe('APPROVAL_PENDING');
  const id = (await waitingId()).slice(0, 8);
  expect(first.suggestion).toContain(`proxmox-mcp approvals approve ${id}`);
  expect(await codeOf(call('echo hello'))).toBe('APPROVAL_PENDING');
  expect(await store.list()).toHaveLength(1);
  const listed = await runCli(['approvals'], { env, cwd: dir });
  expect(listed.stdout).toContain(id);
  expect(listed.stdout).toContain('  | echo hello');

  expect(
    await atTerminal(['approvals', 'passphrase'], ['short', PASSPHRASE, 'other', PASSPHRASE, PASSPHRASE]),
  ).toMatchObject({ code: 0 });
  expect(await atTerminal(['approvals', 'approve', id], ['wrong passphrase', CTRL_C])).toMatchObject({
    code: 130,
    screen: expect.stringContaining('Wrong passphrase. Passphrase to approve this call'),
  });
  const piped = await runCli(['approvals', 'approve', id], { env, cwd: dir, stdin: `${PASSPHRASE}\r` });
  expect(piped).toMatchObject({ code: 2, stderr: expect.stringContaining('typed at a terminal') });
  expect(await codeOf(call('echo hello'))).toBe('APPROVAL_PENDING');
  const approved = await atTerminal(['approvals', 'approve', id], ['wrong again', PASSPHRASE]);
  expect(approved.screen).toMatch(/expires in (10|9) min/);
  expect(approved.screen).toContain('Approved');
  expect(approved.screen).not.toContain(PASSPHRASE);

  // Another call needs another question.
  expect(await codeOf(call('echo other'))).toBe('APPROVAL_PENDING');
  expect((await call('echo hello')).data).toMatchObject({ stdout: 'hello\n' });
  expect(await codeOf(call('echo hello'))).toBe('APPROVAL_PENDING');
});

describe('with a passphrase', () => {
  beforeAll(async () => store.setPassphrase(await hashPassphrase(PASSPHRASE)));
  const ask = async (command: string) => {
    for (const each of await store.list()) await store.remove(each.id);
    expect(await codeOf(call(command))).toBe('APPROVAL_PENDING');
    const [asked] = await store.list();
    if (asked === undefined) throw new Error('nothing waits');
    return asked;
  };

  test('stores no secret in clear text, and nothing that others can read', async () => {
    const asked = await ask('echo modes');
    await answerRequest(store, asked, 'approve', PASSPHRASE, Date.now());
    const files = path.join(dir, 'state/approvals');
    for (const name of await readdir(files)) {
      expect((await stat(path.join(files, name))).mode & 0o777, name).toBe(0o600);
      expect(await readFile(path.join(files, name), 'utf8')).not.toContain(PASSPHRASE);
    }
    expect((await stat(files)).mode & 0o777).toBe(0o700);
  });

  test('refuses a denied call', async () => {
    const asked = await ask('echo denied');
    await answerRequest(store, asked, 'deny', PASSPHRASE, Date.now());
    expect(await codeOf(call('echo denied'))).toBe('CONFIRMATION_REFUSED');
  });

  test('rejects a denial that was edited into an approval', async () => {
    const asked = await ask('echo edited');
    await answerRequest(store, asked, 'deny', PASSPHRASE, Date.now());
    const given = await store.answerTo(asked.id);
    if (given !== undefined) await store.answer(asked.id, { ...given, verdict: 'approve' });
    expect(await codeOf(call('echo edited'))).toBe('APPROVAL_INVALID');
  });

  test('rejects an approval of a question that differs from the call', async () => {
    const asked = await ask('rm -rf /srv');
    const harmless = { ...asked, question: asked.question.replace('rm -rf /srv', 'ls') };
    await store.add(harmless);
    await answerRequest(store, harmless, 'approve', PASSPHRASE, Date.now());
    expect(await codeOf(call('rm -rf /srv'))).toBe('APPROVAL_INVALID');
  });

  test('rejects an expired approval', async () => {
    const asked = await ask('echo late');
    await answerRequest(store, asked, 'approve', PASSPHRASE, Date.now() - 601_000);
    expect(await codeOf(call('echo late'))).toBe('APPROVAL_EXPIRED');
  });

  test('rejects an approval that was restored after its use', async () => {
    const asked = await ask('echo twice');
    await answerRequest(store, asked, 'approve', PASSPHRASE, Date.now());
    const given = await store.answerTo(asked.id);
    expect((await call('echo twice')).data).toMatchObject({ stdout: 'twice\n' });
    await store.add(asked);
    if (given !== undefined) await store.answer(asked.id, given);
    expect(await codeOf(call('echo twice'))).toBe('APPROVAL_USED');
  });

  test('runs one of two replicas that find the same approval', async () => {
    const other = await connectClient({ env });
    try {
      const asked = await ask('echo both');
      await answerRequest(store, asked, 'approve', PASSPHRASE, Date.now());
      const ends = await Promise.all([call('echo both'), call('echo both', other)]);
      expect(ends.filter(({ isError }) => !isError)).toHaveLength(1);
    } finally {
      await other.close();
    }
  });

  test('asks again when the container changes after the approval', async () => {
    const asked = await ask('echo moved');
    await answerRequest(store, asked, 'approve', PASSPHRASE, Date.now());
    const undo = await node.setConf(
      CT.debian,
      initialConf(CT.debian).replace('tags: rig;web', 'tags: rig;web;new'),
    );
    expect(await codeOf(call('echo moved'))).toBe('APPROVAL_PENDING');
    await undo();
  });

  test('delays further attempts after five wrong passphrases', async () => {
    const asked = await ask('echo guess');
    const now = Date.now();
    for (let i = 0; i < 5; i += 1) {
      expect(await answerRequest(store, asked, 'approve', `guess ${i}`, now)).toEqual({
        kind: 'wrong passphrase',
      });
    }
    expect(await answerRequest(store, asked, 'approve', PASSPHRASE, now)).toEqual({
      kind: 'wait',
      ms: 30_000,
    });
    expect(await answerRequest(store, asked, 'approve', PASSPHRASE, now + 30_001)).toEqual({
      kind: 'answered',
    });
  });

  test('limits pending requests per caller, not across callers', async () => {
    const asked = await ask('echo mine');
    await store.remove(asked.id);
    for (let i = 0; i < 60; i += 1)
      await store.add({ ...asked, id: i.toString(16).padStart(32, '0'), call: `${i}`, caller: 'other' });
    for (let i = 0; i < 10; i += 1) expect(await codeOf(call(`echo ${i}`))).toBe('APPROVAL_PENDING');
    expect(await codeOf(call('echo one too many'))).toBe('CONFIRMATION_REQUIRED');
    expect(await store.list()).toHaveLength(70);
  });
});
