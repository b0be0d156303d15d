import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { Simulator } from '../../src/simulator/simulator.ts';
import { failureOf } from '../e2e/connect.ts';
import { type ClusterClient, enterBy } from './cluster-client.ts';
import { MEMBERS, THREE_NODES } from './three-nodes.ts';

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start({ scenario: THREE_NODES });
});
afterEach(() => simulator.stop());

const items = z.array(
  z.object({ vmid: z.number(), status: z.string(), node: z.string(), reason: z.string().optional() }),
);
async function list({ call }: ClusterClient) {
  const result = await call('list_containers', {});
  expect(result.isError, result.text).toBe(false);
  return new Map(items.parse(result.data.containers).map((each) => [each.vmid, each]));
}

describe('the list', () => {
  test('shows the current state of each node, not the last published one', async () => {
    const cluster = await enterBy(simulator, ['pve1']);
    expect((await list(cluster)).get(MEMBERS.stopped)).toMatchObject({ status: 'stopped', node: 'pve3' });
    const undo = simulator.node('pve1').setClusterFile('.rrd', '');
    expect((await list(cluster)).get(MEMBERS.third)).toMatchObject({ status: 'running' });
    undo();
  });

  test('shows the containers of a node that is offline or does not answer, with the reason', async () => {
    const cluster = await enterBy(simulator, ['pve1']);
    await simulator.node('pve2').goOffline();
    simulator.node('pve3').hang();
    const found = await list(cluster);
    expect(found.get(MEMBERS.first)).toMatchObject({ status: 'running' });
    expect(found.get(MEMBERS.second)).toMatchObject({
      status: 'unknown',
      reason: expect.stringMatching(/pve2.*offline/),
    });
    expect(found.get(MEMBERS.third)).toMatchObject({
      status: 'unknown',
      reason: expect.stringContaining('pve3'),
    });
    expect((await cluster.call('container_status', { vmid: MEMBERS.third })).data).toMatchObject({
      status: 'unknown',
      node: 'pve3',
      reason: expect.stringContaining('pve3'),
    });
    expect((await cluster.exec(MEMBERS.first, 'hostname')).stdout).toBe('first\n');
  });

  test('shows the published state of a node whose login fails, with the reason', async () => {
    simulator.node('pve3').refuseLogins();
    const cluster = await enterBy(simulator, ['pve1']);
    expect((await list(cluster)).get(MEMBERS.third)).toMatchObject({
      status: 'running',
      reason: expect.stringContaining('pve3'),
    });
  });
});

describe('an entry node that is lost', () => {
  test('is replaced by the next one, within the call', async () => {
    const cluster = await enterBy(simulator, ['pve1', 'pve2'], { POLICY: 'open' });
    expect((await cluster.exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
    await simulator.node('pve1').goOffline();
    expect((await list(cluster)).get(MEMBERS.second)).toMatchObject({ status: 'running' });
    expect((await cluster.exec(MEMBERS.second, 'hostname')).stdout).toBe('second\n');
    const failure = failureOf(
      await cluster.call('container_exec_command', { vmid: MEMBERS.first, command: 'true' }),
    );
    expect(failure).toMatchObject({ code: 'SSH_UNREACHABLE', error: expect.stringContaining('pve1') });
  });

  test('may be missing at the start', async () => {
    await simulator.node('pve1').goOffline();
    const cluster = await enterBy(simulator, ['pve1', 'pve2'], { POLICY: 'open' });
    expect((await cluster.exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
  });

  test('delays no call if it does not answer', async () => {
    const cluster = await enterBy(simulator, ['pve1', 'pve2'], { POLICY: 'open' });
    await list(cluster);
    simulator.node('pve1').loseNetwork();
    expect((await list(cluster)).get(MEMBERS.second)).toMatchObject({ status: 'running' });
  });

  test('closes the connections to other nodes, which reconnect through the next entry node', async () => {
    simulator.node('pve3').hangOutside();
    const cluster = await enterBy(simulator, ['pve1', 'pve2'], { POLICY: 'open' });
    expect((await cluster.exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
    await simulator.node('pve1').goOffline();
    // A read, which is sent again if the loss is noticed late.
    const status = await cluster.call('container_status', { vmid: MEMBERS.third });
    expect(status.data, status.text).toMatchObject({ status: 'running' });
    expect((await cluster.exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
  });

  test('finds out through the next entry node whether a command started, and runs it once', async () => {
    simulator.node('pve3').hangOutside();
    const cluster = await enterBy(simulator, ['pve1', 'pve2'], { POLICY: 'open' });
    expect((await cluster.exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
    // The command is sent, and does not arrive.
    simulator.node('pve1').hang();
    const result = cluster.exec(MEMBERS.third, 'echo run >>/root/runs; cat /root/runs');
    await setTimeout(1_000);
    await simulator.node('pve1').goOffline();
    expect(await result).toMatchObject({ exit_code: 0, stdout: 'run\n' });
  });
});

describe('HA', () => {
  test('is followed when it starts a container on another node', async () => {
    simulator.node('pve1').write('/etc/pve/ha/resources.cfg', `ct: ${MEMBERS.stopped}\n\tstate stopped\n`);
    simulator.placeByHa(MEMBERS.stopped, 'pve1');
    const cluster = await enterBy(simulator, ['pve1']);
    const started = await cluster.call('start_container', { vmid: MEMBERS.stopped });
    expect(started.data, started.text).toMatchObject({ success: true, changed: true });
    expect(simulator.ownerOf(MEMBERS.stopped)).toBe('pve1');
    expect((await cluster.exec(MEMBERS.stopped, 'hostname')).stdout).toBe('stopped\n');
    const stopped = await cluster.call('stop_container', { vmid: MEMBERS.stopped, force: true });
    expect(stopped.data, stopped.text).toMatchObject({ success: true, changed: true });
  });
});

describe('without quorum', () => {
  test('reads and commands work, and a start fails at once', async () => {
    const cluster = await enterBy(simulator, ['pve1']);
    simulator.quorate = false;
    expect((await list(cluster)).get(MEMBERS.third)).toMatchObject({ status: 'running' });
    expect((await cluster.exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
    // pct would refuse as well, but is not waited for.
    simulator.node('pve3').pctMs = 3_600_000;
    expect(failureOf(await cluster.call('start_container', { vmid: MEMBERS.stopped }))).toMatchObject({
      code: 'NO_QUORUM',
      error: expect.stringContaining('cluster not ready'),
    });
  });
});

describe('pmxcfs that hangs on the entry node', () => {
  test('ends reads with a clear message; commands run where no rule needs attributes', async () => {
    const cluster = await enterBy(simulator, ['pve1'], { POLICY: 'open' });
    expect((await cluster.exec(MEMBERS.first, 'hostname')).stdout).toBe('first\n');
    expect((await cluster.exec(MEMBERS.second, 'hostname')).stdout).toBe('second\n');
    simulator.node('pve1').pmxcfs = 'hangs';
    expect(failureOf(await cluster.call('list_containers', {}))).toMatchObject({
      code: 'PMXCFS_UNAVAILABLE',
      error: expect.stringContaining('within 2 s'),
    });
    expect((await cluster.exec(MEMBERS.first, 'hostname')).stdout).toBe('first\n');
    expect((await cluster.exec(MEMBERS.second, 'hostname')).stdout).toBe('second\n');
    simulator.node('pve1').pmxcfs = 'up';
  });

  test('is avoided through another entry node', async () => {
    const cluster = await enterBy(simulator, ['pve1', 'pve2']);
    simulator.node('pve1').pmxcfs = 'hangs';
    expect((await list(cluster)).get(MEMBERS.third)).toMatchObject({ status: 'running' });
    simulator.node('pve1').pmxcfs = 'up';
  });
});
