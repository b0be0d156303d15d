import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { runCli } from '../cli/run.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { modern } from './requests.ts';
import { HttpServer, TOKEN } from './server.ts';

const node = new SimulatedNode();
let server: HttpServer;
beforeAll(async () => {
  await node.start();
  server = await HttpServer.start({ env: { ...node.settings(), POLICY: 'standard' } });
});
afterAll(async () => {
  await server.stop();
  await node.stop();
});

const answer = z.object({ result: z.object({ structuredContent: z.record(z.string(), z.unknown()) }) });

/** @param inBody replaces the text NESTED in the body: no library writes deep JSON */
async function call(tool: string, args: object, inBody = '') {
  const params = { name: `proxmox_${tool}`, arguments: args };
  const init = modern('tools/call', params, { Authorization: `Bearer ${TOKEN}` });
  const body = String(init.body).replace('"NESTED"', () => inBody);
  const response = await fetch(server.url, { ...init, body });
  const text = /^data: (.*)$/m.exec(await response.text())?.[1] ?? '{}';
  return answer.parse(JSON.parse(text)).result.structuredContent;
}

/** The entries of the audit log. */
async function logged(): Promise<readonly Record<string, unknown>[]> {
  const dir = path.join(server.dir, 'state', 'audit');
  const files = await Promise.all((await readdir(dir)).map((each) => readFile(path.join(dir, each), 'utf8')));
  const lines = files.join('').split('\n');
  return lines.flatMap((line) => {
    if (!line.startsWith('{')) return [];
    return [z.record(z.string(), z.unknown()).parse(JSON.parse(line))];
  });
}

describe('a refused call is logged with the rule that refused it', () => {
  test('with arguments nested 20,000 levels deep', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const told = await call('container_status', { vmid: CT.debian, surplus: 'NESTED' }, deep);
    expect(told).toMatchObject({ code: 'INVALID_INPUT', error: expect.stringContaining('nested deeper') });
    expect(await logged()).toContainEqual(
      expect.objectContaining({
        type: 'refused',
        vmid: CT.debian,
        code: 'INVALID_INPUT',
        rule: 'INVALID_INPUT',
      }),
    );
  });

  test.each([
    ['host_exec_command', { command: 'id' }, 'HOST_ACCESS_DISABLED'],
    ['container_exec_command', { vmid: 999_999, command: 'id' }, 'CONTAINER_NOT_FOUND'],
    ['container_exec_command', { vmid: 7, command: 'id' }, 'INVALID_INPUT'],
  ])('%s %j: deny: %s', async (tool, args, code) => {
    // On a loaded machine the simulated node may not report in time that the container does not exist.
    await until(async () => (await call(tool, args)).code === code);
    const entry = expect.objectContaining({ type: 'refused', tool: `proxmox_${tool}`, rule: code, code });
    expect(await logged()).toContainEqual(entry);
    const env = { STATE_DIR: path.join(server.dir, 'state') };
    const shown = await runCli(['audit', 'show'], { env, cwd: server.dir });
    expect(shown.stdout).toContain(`deny: ${code}`);
  });
});

test('does not open a debugger on SIGUSR1', async () => {
  server.child.kill('SIGUSR1');
  const health = () => fetch(new URL('/health', server.url));
  for (let count = 0; count < 20; count += 1) expect((await health()).status).toBe(200);
  expect(await isOpen(9229)).toBe(false);
  expect(server.stderr).not.toContain('Debugger');
});

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
