import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { Simulator } from '../../src/simulator/simulator.ts';
import { examine } from '../cli/doctor-report.ts';
import { MEMBERS, NODE_NAMES, THREE_NODES } from './three-nodes.ts';

const cwd = mkdtempSync(path.join(tmpdir(), 'cluster-doctor-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));
let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start({ scenario: THREE_NODES });
  const lines = NODE_NAMES.map((node) => simulator.node(node).connection.knownHostsLine);
  writeFileSync(path.join(cwd, 'known_hosts'), `${lines.join('\n')}\n`);
});
afterEach(() => simulator.stop());

test('doctor shows the route to each node, unusable nodes, and whether the standby answers', async () => {
  simulator.node('pve3').hangOutside();
  const { port, keyPath } = simulator.node('pve1').connection;
  const env = {
    I_ACCEPT_RISKS: 'true',
    HOST: `${simulator.node('pve1').connection.host},${simulator.node('pve2').connection.host}`,
    SSH_PORT: String(port),
    SSH_KEY: keyPath,
    SSH_KNOWN_HOSTS: path.join(cwd, 'known_hosts'),
  };
  const healthy = await examine(cwd, env, ['--exec', String(MEMBERS.third)]);
  expect(healthy.of('nodes')).toMatchObject({ verdict: 'ok', detail: 'pve2 directly, pve3 through pve1' });
  expect(healthy.of('standby')).toMatchObject({ verdict: 'ok' });
  expect(healthy.of('exec')?.detail).toContain('as root of third');
  simulator.node('pve2').refuseLogins();
  const refused = await examine(cwd, env);
  expect(refused.of('nodes')).toMatchObject({
    verdict: 'warn',
    code: 'SSH_AUTH_FAILED',
    detail: expect.stringContaining('pve2'),
  });
  expect(refused.of('standby')).toMatchObject({ verdict: 'warn', code: 'SSH_AUTH_FAILED' });
});
