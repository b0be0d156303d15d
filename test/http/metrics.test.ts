import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { uniqueSleep } from '../e2e/connect.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { AuthServer } from './auth-server.ts';

const ALL = 'the-token-of-the-one-administrator-0123';
const READER = 'the-token-of-one-who-only-looks-4567890';

const node = new SimulatedNode();
let server: AuthServer;

beforeAll(async () => {
  await node.start();
  server = await AuthServer.start({
    ...node.settings(),
    HTTP_TOKEN: ALL,
    HTTP_TOKENS: `reader read ${READER}`,
    TRANSFER_DIRS: '~',
  });
});
afterAll(async () => {
  await server.stop();
  await node.stop();
});

const metric = (name: string, labels?: Record<string, string>) =>
  server.metric(ALL, `proxmox_mcp_${name}`, labels);
const exec = (command: string, more = {}) =>
  server.result(ALL, 'container_exec_command', { vmid: CT.debian, command, ...more });
const EXEC = { tool: 'proxmox_container_exec_command' };

test('require a token', async () => {
  expect((await server.get('/metrics')).status).toBe(401);
  const response = await server.get('/metrics', READER);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
});

test('count calls by tool and outcome, and SSH connections', async () => {
  expect(await metric('ssh_connections')).toBe(0);
  expect((await exec('true')).data.exit_code).toBe(0);
  expect((await exec('false')).data.exit_code).toBe(1);
  await server.result(ALL, 'container_status', { vmid: 999 });
  expect(await metric('calls_total', { ...EXEC, outcome: 'ok' })).toBe(2);
  expect(await metric('call_duration_seconds_count', EXEC)).toBe(2);
  const missing = { tool: 'proxmox_container_status', outcome: 'CONTAINER_NOT_FOUND' };
  expect(await metric('calls_total', missing)).toBe(1);
  expect(await metric('ssh_connections')).toBeGreaterThan(0);
});

test('count transferred bytes', async () => {
  await mkdir(path.join(server.dir, 'files'));
  await writeFile(path.join(server.dir, 'files/up'), Buffer.alloc(5000));
  const container = { vmid: CT.debian, container_path: '/root/up' };
  const up = path.join(server.dir, 'files/up');
  const down = path.join(server.dir, 'files/down');
  expect(
    (await server.result(ALL, 'upload_file_to_container', { ...container, local_path: up })).data.success,
  ).toBe(true);
  expect(await metric('transferred_bytes_total', { direction: 'upload' })).toBe(5000);
  const back = await server.result(ALL, 'download_file_from_container', { ...container, local_path: down });
  expect(back.data.success).toBe(true);
  expect(await metric('transferred_bytes_total', { direction: 'download' })).toBe(5000);
});

test('count a kill and its survivors', async () => {
  const { data } = await exec('sleep 300', { timeout: 1 });
  expect(data).toMatchObject({ code: 'TIMEOUT', survivors: [] });
  expect(await metric('kills_total', { why: 'timeout', left: 'nothing' })).toBe(1);
  expect(await metric('kill_survivors_total')).toBe(0);
  expect(await metric('calls_total', { ...EXEC, outcome: 'TIMEOUT' })).toBe(1);
});

test('count a call whose client disconnected', async () => {
  const abort = new AbortController();
  const sleep = uniqueSleep();
  const args = { vmid: CT.debian, command: `sleep ${sleep}` };
  const gone = server.call(ALL, 'container_exec_command', args, abort.signal).then((answer) => answer.text());
  await until(async () => (await node.containerProcesses(CT.debian, sleep)).length > 0);
  abort.abort();
  await expect(gone).rejects.toThrow();
  await until(async () => (await metric('kills_total', { why: 'cancelled', left: 'nothing' })) === 1);
  expect(await metric('calls_total', { ...EXEC, outcome: 'CANCELLED' })).toBe(1);
});

test('count sessions', async () => {
  expect(await metric('sessions')).toBe(0);
  await server.session(READER);
  expect(await metric('sessions')).toBe(1);
});

test('count refusals by reason', async () => {
  const before = await metric('refusals_total', { reason: 'unauthenticated' });
  await server.list();
  await server.list('a-token-that-nobody-here-knows-of-at-all');
  expect(await metric('refusals_total', { reason: 'unauthenticated' })).toBe(before + 2);
  await server.result(READER, 'stop_container', { vmid: CT.debian });
  expect(await metric('refusals_total', { reason: 'permission' })).toBe(1);
});

test('have no labels with values from callers', async () => {
  const text = await (await server.get('/metrics', ALL)).text();
  for (const word of [String(CT.debian), '999', 'sleep', 'reader', 'default', ALL, READER]) {
    expect(text.split('\n').filter((line) => line.includes(`"${word}`))).toEqual([]);
  }
});
