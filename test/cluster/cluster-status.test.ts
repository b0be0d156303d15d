import { afterEach, beforeEach, expect, test } from 'vitest';
import { Simulator } from '../../src/simulator/simulator.ts';
import { enterBy } from './cluster-client.ts';
import { MEMBERS } from './three-nodes.ts';

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start({
    scenario: {
      cluster: 'lab',
      nodes: {
        pve1: {
          version: '9.1.2',
          cores: 4,
          memory: '8G',
          machines: { 100: { name: 'vm' } },
          storages: { local: { type: 'dir', total: '100G', used: '95G' } },
          containers: { [MEMBERS.first]: { name: 'first', flavour: 'alpine' } },
        },
        pve2: { version: '9.1.2', containers: { [MEMBERS.second]: { name: 'second', running: false } } },
        pve3: { version: '9.1.2', containers: {} },
      },
    },
  });
});
afterEach(() => simulator.stop());

test('the status of the cluster shows the state of each node, and what is degraded', async () => {
  const { call } = await enterBy(simulator, ['pve1']);
  const healthy = await call('cluster_status', {});
  expect(healthy.data, healthy.text).toMatchObject({
    cluster: 'lab',
    quorate: true,
    nodes: [
      {
        node: 'pve1',
        online: true,
        version: '9.1.2',
        load: 0.31,
        cpus: 4,
        memory_bytes: 8 * 1024 ** 3,
        containers: 1,
        containers_running: 1,
        machines: 1,
      },
      { node: 'pve2', online: true, containers: 1, containers_running: 0 },
      { node: 'pve3', online: true, containers: 0 },
    ],
    storages: [{ storage: 'local', type: 'dir', node: 'pve1', used_bytes: 95 * 1024 ** 3 }],
    ha: null,
    degraded: ['Storage local on node pve1 is 95 % full.'],
  });
  expect(healthy.text).toContain('Cluster lab: quorum');

  simulator.node('pve1').write('/etc/pve/ha/resources.cfg', `ct: ${MEMBERS.first}\n`);
  simulator.failHa(MEMBERS.first);
  await simulator.node('pve2').goOffline();
  simulator.node('pve3').refuseLogins();
  simulator.node('pve3').dropConnections();
  const { data, text } = await call('cluster_status', {});
  expect(data.nodes).toMatchObject([
    { node: 'pve1', online: true },
    { node: 'pve2', online: false, containers: 1, containers_running: null },
    { node: 'pve3', online: true, version: null, reason: expect.stringContaining('pve3') },
  ]);
  expect(data.degraded).toEqual([
    expect.stringMatching(/pve2 is offline/),
    expect.stringMatching(/pve3.*login/),
    'Storage local on node pve1 is 95 % full.',
    'HA: node pve2 is in state unknown.',
    `HA: service ct:${MEMBERS.first} is in state error.`,
  ]);
  expect(text).toMatch(/^pve2 +offline/m);
});
