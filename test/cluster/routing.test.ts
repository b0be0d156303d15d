import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { Simulator } from '../../src/simulator/simulator.ts';
import { failureOf } from '../e2e/connect.ts';
import { enterBy } from './cluster-client.ts';
import { MEMBERS, THREE_NODES } from './three-nodes.ts';

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start({ scenario: THREE_NODES });
});
afterEach(() => simulator.stop());

describe('a call for a container', () => {
  test('runs on its node, through any entry node', async () => {
    const { exec } = await enterBy(simulator, ['pve2'], { POLICY: 'open' });
    for (const name of ['first', 'second', 'third'] as const) {
      expect(await exec(MEMBERS[name], 'hostname')).toMatchObject({ exit_code: 0, stdout: `${name}\n` });
    }
  });

  test('goes to its node directly, with the login of the entry node', async () => {
    const { exec } = await enterBy(simulator, ['pve1']);
    await exec(MEMBERS.second, 'true');
    const { made } = simulator.node('pve1').connections;
    await exec(MEMBERS.third, 'true');
    expect(simulator.node('pve3').connections.open).toBe(1);
    expect(simulator.node('pve1').connections.made).toBe(made);
  });

  test("goes through the entry node if the node's address does not answer from outside", async () => {
    simulator.node('pve3').hangOutside();
    const { exec } = await enterBy(simulator, ['pve1']);
    expect((await exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
    const { made } = simulator.node('pve3').connections;
    simulator.node('pve3').dropConnections();
    expect((await exec(MEMBERS.third, 'hostname')).stdout).toBe('third\n');
    // Decided once: the direct address is not tried again.
    expect(simulator.node('pve3').connections.made).toBe(made + 1);
  });

  test('lists the present addresses of the containers of all nodes, with details only', async () => {
    const { call } = await enterBy(simulator, ['pve1']);
    const addresses = async (input: Record<string, unknown>) =>
      z
        .array(z.object({ vmid: z.number(), addresses: z.array(z.string()).optional() }))
        .parse((await call('list_containers', input)).data.containers)
        .map(({ vmid, addresses }) => [vmid, addresses]);
    const running = ['first', 'second', 'moving', 'third'] as const;
    expect(await addresses({ details: true, status: 'running' })).toEqual(
      running.map((name) => [MEMBERS[name], ['192.168.1.50']]),
    );
    expect(await addresses({ status: 'running' })).toEqual(running.map((name) => [MEMBERS[name], undefined]));
  });

  test('starts, shows and stops a container of another node', async () => {
    const { call } = await enterBy(simulator, ['pve1']);
    expect((await call('start_container', { vmid: MEMBERS.stopped })).data).toMatchObject({ changed: true });
    expect(simulator.container(MEMBERS.stopped).running).toBe(true);
    expect((await call('container_status', { vmid: MEMBERS.stopped })).data).toMatchObject({
      status: 'running',
      node: 'pve3',
      local: false,
    });
    const stopped = await call('stop_container', { vmid: MEMBERS.stopped, force: true });
    expect(stopped.data, stopped.text).toMatchObject({ changed: true });
    expect(simulator.container(MEMBERS.stopped).running).toBe(false);
  });
});

describe('host keys of other nodes', () => {
  test('are those of the cluster; another key is refused, and the other nodes work', async () => {
    await simulator.node('pve3').changeHostKey();
    const { call, exec } = await enterBy(simulator, ['pve1'], {
      POLICY: 'open',
      SSH_HOST_KEY_POLICY: 'accept-new',
    });
    const failure = failureOf(await call('container_exec_command', { vmid: MEMBERS.third, command: 'true' }));
    expect(failure).toMatchObject({ code: 'HOST_KEY_CHANGED', error: expect.stringContaining('pve3') });
    expect((await exec(MEMBERS.second, 'hostname')).stdout).toBe('second\n');
  });

  test('that are unknown to the cluster are never accepted on first use', async () => {
    simulator.node('pve1').write('/etc/pve/nodes/pve3/ssh_known_hosts', '');
    const { call } = await enterBy(simulator, ['pve1'], {
      POLICY: 'open',
      SSH_HOST_KEY_POLICY: 'accept-new',
    });
    const failure = failureOf(await call('container_exec_command', { vmid: MEMBERS.third, command: 'true' }));
    expect(failure).toMatchObject({ code: 'HOST_KEY_UNKNOWN', error: expect.stringContaining('pve3') });
  });
});

describe('a node that cannot be used', () => {
  test('is reported for its containers and not tried again for a while, and the others work', async () => {
    simulator.node('pve3').refuseLogins();
    const { call, exec } = await enterBy(simulator, ['pve1'], { POLICY: 'open' });
    const attempt = () => call('container_exec_command', { vmid: MEMBERS.third, command: 'true' });
    expect(failureOf(await attempt())).toMatchObject({
      code: 'SSH_AUTH_FAILED',
      error: expect.stringContaining('pve3'),
    });
    const { made } = simulator.node('pve3').connections;
    expect(failureOf(await attempt()).code).toBe('SSH_AUTH_FAILED');
    expect(simulator.node('pve3').connections.made).toBe(made);
    expect((await exec(MEMBERS.second, 'hostname')).stdout).toBe('second\n');
  });
});

describe('a container that has moved', () => {
  const cases: [string, Record<string, string>][] = [
    ['with rules on attributes', {}],
    ['without', { POLICY: 'open' }],
  ];
  test.each(cases)('is found on its new node within the call, %s', async (_name, env) => {
    const { exec } = await enterBy(simulator, ['pve1'], env);
    expect((await exec(MEMBERS.moving, 'echo before >>/root/log')).exit_code).toBe(0);
    simulator.migrate(MEMBERS.moving, 'pve3');
    expect((await exec(MEMBERS.moving, 'echo after >>/root/log; cat /root/log')).stdout).toBe(
      'before\nafter\n',
    );
    simulator.migrate(MEMBERS.moving, 'pve1');
    expect((await exec(MEMBERS.moving, 'echo again >>/root/log; cat /root/log')).stdout).toBe(
      'before\nafter\nagain\n',
    );
  });

  test('is found although its old node is offline', async () => {
    const { exec, call } = await enterBy(simulator, ['pve1'], { POLICY: 'open' });
    expect((await exec(MEMBERS.moving, 'true')).exit_code).toBe(0);
    await simulator.node('pve2').goOffline();
    simulator.migrate(MEMBERS.moving, 'pve3');
    // A read, which is sent again: whether a command ran before the node went down cannot be known.
    expect((await call('container_status', { vmid: MEMBERS.moving })).data).toMatchObject({ node: 'pve3' });
    expect((await exec(MEMBERS.moving, 'hostname')).stdout).toBe('moving\n');
  });

  test('is reported as migrating during the migration, with the lock', async () => {
    const { call } = await enterBy(simulator, ['pve1'], { POLICY: 'open' });
    const migration = simulator.beginMigration(MEMBERS.moving, 'pve3');
    const attempt = () => call('container_exec_command', { vmid: MEMBERS.moving, command: 'true' });
    const expected = { code: 'CONTAINER_LOCKED', error: expect.stringMatching(/migrated.*lock: migrate/) };
    expect(failureOf(await attempt())).toMatchObject(expected);
    migration.move();
    expect(failureOf(await attempt())).toMatchObject(expected);
    migration.finish();
    expect((await attempt()).data.exit_code).toBe(0);
  });
});
