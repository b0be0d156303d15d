import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { CT, initialConf } from '../rig/containers.ts';
import { until } from '../rig/until.ts';
import { codeOf, RawClient, type RawResult, yes } from './raw-client.ts';

/** Clients choose what they return, so these tests write raw protocol messages. */
const node = new SimulatedNode();
const replicas: Replica[] = [];
let dir: string;

const STATE_KEY = 'k'.repeat(48);

beforeAll(async () => {
  await node.start();
  dir = await mkdtemp(path.join(tmpdir(), 'replay-'));
  const rules =
    'rules:\n  - rule: ask\n    match: { effect: [write, destroy, exec] }\n    outcome: confirm\ndefault: allow\n';
  await writeFile(path.join(dir, 'policy.yaml'), rules);
});
afterAll(async () => {
  for (const replica of replicas) replica.kill();
  await node.stop();
  await rm(dir, { recursive: true, force: true });
});

class Replica extends RawClient {
  constructor(name: string, env: Record<string, string> = {}) {
    super({
      HOME: dir,
      ...node.settings(),
      POLICY_FILE: path.join(dir, 'policy.yaml'),
      STATE_DIR: path.join(dir, name),
      STATE_KEY,
      TRANSFER_DIRS: dir,
      ...env,
    });
    replicas.push(this);
  }
}

const exec = (command: string) => ['container_exec_command', { vmid: CT.debian, command }] as const;

test('redeems a repeated approval once, across replicas', async () => {
  const [first, second] = [new Replica('one'), new Replica('two')];
  const asked = await first.call(...exec('echo once'));
  expect(asked.resultType).toBe('input_required');
  // The other replica accepts the approval of a question that it has not asked.
  const done = await second.call(...exec('echo once'), yes(asked.requestState));
  expect(done.structuredContent).toMatchObject({ stdout: 'once\n' });
  expect(codeOf(await first.call(...exec('echo once'), yes(asked.requestState)))).toBe('APPROVAL_USED');
  expect(codeOf(await second.call(...exec('echo once'), yes(asked.requestState)))).toBe('APPROVAL_USED');
  const again = await first.call(...exec('echo race'));
  const both = await Promise.all(
    [first, second].map((each) => each.call(...exec('echo race'), yes(again.requestState))),
  );
  expect(both.map(codeOf).filter((code) => code === 'APPROVAL_USED')).toHaveLength(1);
});

test.each([
  ['stop_container', CT.stopped],
  ['start_container', CT.debian],
] as const)('redeems the approval of a %s without effect', async (tool, vmid) => {
  const replica = new Replica(`idle ${tool}`);
  const { requestState } = await replica.call(tool, { vmid });
  const done = await replica.call(tool, { vmid }, yes(requestState));
  expect(done.structuredContent).toMatchObject({ success: true, changed: false });
  // The approval does not cover what the container has become.
  if (tool === 'stop_container') await node.ensureStarted(vmid);
  else await node.ensureStopped(vmid);
  expect(codeOf(await replica.call(tool, { vmid }, yes(requestState)))).toBe('APPROVAL_USED');
  expect(node.isRunning(vmid)).toBe(tool === 'stop_container');
  await node.reset();
});

test('accepts an approval only for the exact call', async () => {
  const replica = new Replica('very');
  const { requestState } = await replica.call(...exec('echo a'));
  expect(codeOf(await replica.call(...exec('echo b'), yes(requestState)))).toBe('APPROVAL_INVALID');
  const elsewhere = { vmid: CT.busybox, command: 'echo a' };
  expect(codeOf(await replica.call('container_exec_command', elsewhere, yes(requestState)))).toBe(
    'APPROVAL_INVALID',
  );
  expect(codeOf(await replica.call('stop_container', { vmid: CT.debian }, yes(requestState)))).toBe(
    'APPROVAL_INVALID',
  );
  const tampered = `${requestState?.slice(0, -4)}AAAA`;
  expect(codeOf(await replica.call(...exec('echo a'), yes(tampered)))).toBe('APPROVAL_INVALID');
  expect(codeOf(await replica.call(...exec('echo a'), yes('v1.e30.AAAA')))).toBe('APPROVAL_INVALID');
  // None of these has used the approval. A call with explicit default values is the same call.
  const spelled = { vmid: String(CT.debian), command: 'echo a', timeout: 30 };
  const done = await replica.call('container_exec_command', spelled, yes(requestState));
  expect(done.structuredContent).toMatchObject({ stdout: 'a\n' });
});

test('requires both the question and the approval', async () => {
  const replica = new Replica('bare');
  expect(codeOf(await replica.call(...exec('echo a'), yes(undefined)))).toBe('input_required');
  const { requestState } = await replica.call(...exec('echo a'));
  expect(codeOf(await replica.call(...exec('echo a'), { requestState }))).toBe('input_required');
});

test('rejects the approval of a replica with another key', async () => {
  const { requestState } = await new Replica('mine').call(...exec('echo a'));
  const stranger = new Replica('theirs', { STATE_KEY: 'x'.repeat(48) });
  expect(codeOf(await stranger.call(...exec('echo a'), yes(requestState)))).toBe('APPROVAL_INVALID');
});

test('rejects an expired approval', async () => {
  const replica = new Replica('late', { APPROVAL_TTL: '1' });
  const { requestState } = await replica.call(...exec('echo a'));
  const since = performance.now();
  await until(() => performance.now() - since > 1_100);
  expect(codeOf(await replica.call(...exec('echo a'), yes(requestState)))).toBe('APPROVAL_EXPIRED');
});

test('asks again when the container has changed', async () => {
  const replica = new Replica('changed');
  const { requestState } = await replica.call(...exec('echo a'));
  const undo = await node.setConf(CT.debian, 'arch: amd64\nhostname: other\n');
  const again = await replica.call(...exec('echo a'), yes(requestState));
  expect(again.resultType).toBe('input_required');
  expect(JSON.stringify(again.inputRequests)).toContain(`Container: ${CT.debian}, other`);
  const done = await replica.call(...exec('echo a'), yes(again.requestState));
  await undo();
  expect(done.structuredContent).toMatchObject({ stdout: 'a\n' });
});

test.each([
  ['of the same size', 'other'],
  ['of another size', 'something else'],
])('does not transfer bytes %s than the approved ones', async (_how, later) => {
  const replica = new Replica(`bytes ${later.length}`);
  await writeFile(path.join(dir, 'file'), 'first');
  const upload = { vmid: CT.debian, local_path: 'file', container_path: `/tmp/agreed${later.length}` };
  const { requestState, inputRequests } = await replica.call('upload_file_to_container', upload);
  expect(JSON.stringify(inputRequests)).toContain('File: 5 bytes, SHA-256 a7937b64');
  await writeFile(path.join(dir, 'file'), later);
  expect(codeOf(await replica.call('upload_file_to_container', upload, yes(requestState)))).toBe(
    'APPROVAL_INVALID',
  );
  expect((await node.inContainer(CT.debian, ['ls', '/tmp'])).stdout).not.toContain(`agreed${later.length}`);
});

test('an approval for different commands is valid for each of them in its container only', async () => {
  const replica = new Replica('commands');
  const [a, b] = [CT.debian, CT.busybox];
  const run = (commands: object, state?: string) =>
    replica.call('exec_in_containers', { commands }, ...(state === undefined ? [] : [yes(state)]));
  const asked = await run({ [a]: 'echo one', [b]: 'echo two' });
  expect(asked.resultType).toBe('input_required');
  for (const other of [
    { [a]: 'echo two', [b]: 'echo one' },
    { [a]: 'echo one', [b]: 'echo three' },
    { [a]: 'echo one' },
    { [a]: 'echo one', [b]: 'echo two', [CT.locked]: 'echo two' },
  ])
    expect(codeOf(await run(other, asked.requestState))).toBe('APPROVAL_INVALID');
  // The order of the entries is not a part of the call.
  const list = [
    { vmid: b, command: 'echo two' },
    { vmid: a, command: 'echo one' },
  ];
  const done = await run(list, asked.requestState);
  expect(done.structuredContent).toMatchObject({
    outputs: [
      { vmids: [a], stdout: 'one\n' },
      { vmids: [b], stdout: 'two\n' },
    ],
  });
  expect(codeOf(await run(list, asked.requestState))).toBe('APPROVAL_USED');
});

test('an approval for several containers covers exactly that set, and is redeemed once in each container', async () => {
  const replica = new Replica('several');
  const everywhere = ['exec_in_containers', { tags: ['rig'], node: 'pve1', command: 'echo a' }] as const;
  const rows = (result: RawResult) => {
    const shape = z.object({
      containers: z.array(z.object({ vmid: z.number(), status: z.string(), code: z.string().optional() })),
    });
    return shape
      .parse(result.structuredContent)
      .containers.map(({ vmid, status, code }) => [vmid, code ?? status]);
  };
  const tagged = async (vmid: number, tags: string) => {
    await node.setConf(vmid, `tags: ${tags}\n${initialConf(vmid).replace(/^tags:.*\n/m, '')}`);
  };
  await tagged(CT.debian, 'rig');
  for (const vmid of [CT.busybox, CT.stopped, CT.locked]) await tagged(vmid, 'other');
  const asked = await replica.call(...everywhere);
  expect(asked.resultType).toBe('input_required');
  expect(JSON.stringify(asked.inputRequests)).toContain(`Container: ${CT.debian}, debian`);
  // Another container has the tag by now: the set is not the one that was agreed to.
  await tagged(CT.busybox, 'rig');
  const again = await replica.call(...everywhere, yes(asked.requestState));
  expect(again.resultType).toBe('input_required');
  expect(JSON.stringify(again.inputRequests)).toMatch(
    new RegExp(`Container: ${CT.debian}, debian.*Container: ${CT.busybox}, busybox`),
  );
  await tagged(CT.busybox, 'other');
  expect(rows(await replica.call(...everywhere, yes(asked.requestState)))).toEqual([[CT.debian, 'exited']]);
  // Nor does it work again in a set that needs the same approvals.
  await tagged(CT.stopped, 'rig');
  expect(rows(await replica.call(...everywhere, yes(asked.requestState)))).toEqual([
    [CT.debian, 'APPROVAL_USED'],
    [CT.stopped, 'CONTAINER_NOT_RUNNING'],
  ]);
  await node.reset();
});
