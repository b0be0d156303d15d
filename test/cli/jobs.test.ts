import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { modern } from '../http/requests.ts';
import { HttpServer } from '../http/server.ts';
import { CT } from '../rig/rig.ts';
import { runCli } from './run.ts';

const TOKEN = 'the-token-of-carol-who-starts-jobs-7890';

const node = new SimulatedNode();
let dir: string;
let server: HttpServer;
beforeAll(async () => {
  await node.start();
  dir = await mkdtemp(path.join(tmpdir(), 'jobs-cli-'));
  server = await HttpServer.start({ env: { ...node.settings(), HTTP_TOKENS: `carol write ${TOKEN}` } });
});
afterAll(async () => {
  await server.stop();
  await node.stop();
  await rm(dir, { recursive: true, force: true });
});

test('the operator lists, shows and cancels the jobs of all callers', async () => {
  const args = { vmid: CT.debian, command: 'echo begun; sleep 300', background: true };
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const params = { name: 'proxmox_container_exec_command', arguments: args };
  const answer = await (await fetch(server.url, modern('tools/call', params, headers))).text();
  const job = /"job":"([a-z2-7]{16})"/.exec(answer)?.[1] ?? '';
  const jobs = (...words: string[]) => runCli(['jobs', ...words], { cwd: dir, env: node.settings() });

  const listed = await jobs();
  expect(listed.stdout).toMatch(
    new RegExp(`${job} +running .* container ${CT.debian} +carol +echo begun; sleep 300`),
  );
  expect(await jobs('show', job)).toMatchObject({
    code: 0,
    stdout: 'begun\n',
    stderr: expect.stringContaining('running'),
  });
  expect(await jobs('cancel', job)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('None of its processes is left'),
  });
  expect(JSON.parse((await jobs('--json')).stdout)).toContainEqual(
    expect.objectContaining({ job, caller: 'carol', ended: 'cancelled', survivors: [] }),
  );
  expect(await jobs('show', 'aaaaaaaaaaaaaaaa')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('JOB_NOT_FOUND'),
  });
  const unknown = await jobs('show', 'aaaaaaaaaaaaaaaa', '--json');
  expect(unknown.code).toBe(1);
  expect(JSON.parse(unknown.stdout)).toMatchObject({ success: false, code: 'JOB_NOT_FOUND' });
  expect(await jobs('show')).toMatchObject({ code: 2 });
  const logged = await runCli(['audit', 'show', '--json'], { cwd: dir, env: node.settings() });
  expect(logged.stdout).toContain('proxmox-mcp jobs cancel');
});
