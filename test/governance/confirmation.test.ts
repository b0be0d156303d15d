import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { failureOf } from '../e2e/connect.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { connectClient, type Era, type Responder, type TestClient } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';

const node = new SimulatedNode();
beforeAll(() => node.start());
afterAll(() => node.stop());

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'confirmation-'));
  await writeFile(
    path.join(dir, 'policy.yaml'),
    'rules:\n  - rule: ask\n    match: { effect: [write, destroy, exec] }\n    outcome: confirm\n    reason: Tests ask.\ndefault: allow\n',
  );
});
const clients: TestClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await node.reset();
  await rm(dir, { recursive: true, force: true });
});

async function connect(era: Era, respond?: Responder, env: Record<string, string> = {}): Promise<TestClient> {
  const client = await connectClient({
    era,
    ...(respond === undefined ? {} : { respond }),
    env: {
      ...node.settings(),
      POLICY_FILE: path.join(dir, 'policy.yaml'),
      STATE_DIR: path.join(dir, 'state'),
      TRANSFER_DIRS: dir,
      ENABLE_HOST_EXEC: 'true',
      ...env,
    },
  });
  clients.push(client);
  return client;
}

const yes = { action: 'accept' as const, content: { allow: true } };
const exec = { vmid: CT.debian, command: 'echo ran >/tmp/ran; echo done' };
const hasRun = async () => (await node.inContainer(CT.debian, ['ls', '/tmp'])).stdout.includes('ran');
beforeEach(() => node.inContainer(CT.debian, ['rm', '-f', '/tmp/ran']));

describe.each(['modern', 'legacy', 'v1'] as const)('a %s client that supports elicitation', (era) => {
  test('shows everything that will be done, and runs the approved call', async () => {
    const questions: string[] = [];
    const client = await connect(era, async (question) => {
      questions.push(question);
      expect(await hasRun()).toBe(false);
      return yes;
    });
    const result = await client.callTool('proxmox_container_exec_command', exec);
    expect(result.data).toMatchObject({ stdout: 'done\n', exit_code: 0 });
    expect(await hasRun()).toBe(true);
    expect(questions).toEqual([
      [
        'Allow proxmox_container_exec_command (exec) once?',
        '',
        `Container: ${CT.debian}, debian`,
        'Node: pve1',
        'Tags: rig, web',
        'background: false',
        'timeout: 30',
        'Caller: local',
        'Approval required by: rule "ask": Tests ask.',
        '',
        'Command (29 characters):',
        '  | echo ran >/tmp/ran; echo done',
      ].join('\n'),
    ]);
  });

  test.each([
    ['declines', { action: 'decline' }],
    ['cancels the question', { action: 'cancel' }],
    ['leaves the checkbox clear', { action: 'accept', content: { allow: false } }],
    ['accepts an empty form', { action: 'accept', content: {} }],
    ['answers another field', { action: 'accept', content: { confirm: true } }],
  ] as const)('does not run the call when the user %s', async (_how, answer) => {
    const client = await connect(era, async () => answer);
    const result = await client
      .callTool('proxmox_container_exec_command', exec)
      .catch((error: unknown) => error);
    // Clients may refuse such an answer themselves; then there is no result.
    if (!(result instanceof Error)) expect(result).toMatchObject({ isError: true });
    expect(await hasRun()).toBe(false);
  });
});

describe('a client without elicitation', () => {
  test.each(['modern', 'legacy', 'v1'] as const)('is refused: %s', async (era) => {
    const client = await connect(era);
    const result = await client.callTool('proxmox_container_exec_command', exec);
    expect(failureOf(result).code).toBe('CONFIRMATION_REQUIRED');
    expect(await hasRun()).toBe(false);
  });
});

test.each(['legacy', 'v1'] as const)(
  'refuses a call when a %s client declares elicitation but never answers',
  async (era) => {
    const client = await connect(era, () => new Promise(() => {}), { CONFIRM_TIMEOUT: '1' });
    const failure = failureOf(await client.callTool('proxmox_container_exec_command', exec));
    expect(failure).toMatchObject({
      code: 'CONFIRMATION_REFUSED',
      error: expect.stringContaining('did not answer the approval question in time'),
    });
    expect(await hasRun()).toBe(false);
  },
);

test('names the host in the question, and does not ask while host access is disabled', async () => {
  const questions: string[] = [];
  const respond: Responder = async (question) => {
    questions.push(question);
    return yes;
  };
  const open = await connect('modern', respond);
  const result = await open.callTool('proxmox_host_exec_command', { command: 'echo on host' });
  expect(result.data).toMatchObject({ stdout: 'on host\n' });
  expect(questions[0]).toContain('Target: the Proxmox node 127.0.0.1 itself');
  const shut = await connect('modern', respond, { ENABLE_HOST_EXEC: 'false' });
  const refusal = await shut.callTool('proxmox_host_exec_command', { command: 'echo on host' });
  expect(failureOf(refusal).code).toBe('HOST_ACCESS_DISABLED');
  expect(questions).toHaveLength(1);
});

test('does not ask while the container cannot be identified', async () => {
  const client = await connect('modern', () => Promise.reject(new Error('asked')));
  node.simulator.node().pmxcfs = 'down';
  try {
    const failure = failureOf(await client.callTool('proxmox_container_exec_command', exec));
    expect(failure.code).toMatch(/ATTRIBUTES_UNREADABLE|NOT_A_PROXMOX_NODE/);
  } finally {
    node.simulator.node().pmxcfs = 'up';
  }
  expect(await hasRun()).toBe(false);
});

test('does not run a command while the attributes of the container cannot be read', async () => {
  // The standard rules use tags; the known tags are old by the time of the second call.
  const client = await connect('modern', undefined, { POLICY_FILE: '', POLICY: 'standard' });
  expect(
    (await client.callTool('proxmox_container_exec_command', { ...exec, command: 'true' })).isError,
  ).toBe(false);
  node.simulator.node().pmxcfs = 'hangs';
  try {
    const failure = failureOf(await client.callTool('proxmox_container_exec_command', exec));
    expect(failure.code).toBe('ATTRIBUTES_UNREADABLE');
  } finally {
    node.simulator.node().pmxcfs = 'up';
  }
  // The delayed check finds that its time is over.
  await until(async () => node.simulator.node().processes('/etc/pve').length === 0);
  expect(await hasRun()).toBe(false);
});
