import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { EntryNodes } from '../../src/proxmox/nodes/entry-nodes.ts';
import { NodeLink } from '../../src/proxmox/nodes/node-link.ts';
import { Nodes } from '../../src/proxmox/nodes/nodes.ts';
import { Simulator } from '../../src/simulator/simulator.ts';
import { SshPool } from '../../src/ssh/pool.ts';
import { RouteChoice, type Routes } from '../../src/ssh/route-choice.ts';
import type { SshTarget } from '../../src/ssh/ssh-types.ts';
import { until } from '../rig/until.ts';
import { THREE_NODES } from './three-nodes.ts';

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start({ scenario: THREE_NODES });
});
afterEach(() => simulator.stop());

/** The nodes as the cluster uses them, entered by pve1. */
function nodesOf(options: { idleMs?: number } = {}): Nodes {
  const { host, port, user, keyPath, knownHostsPath } = simulator.node('pve1').connection;
  const target: SshTarget = {
    host,
    port,
    username: user,
    identityFiles: [keyPath],
    jumps: [],
    hostKeyPolicy: 'strict',
    knownHostsFiles: [knownHostsPath],
    knownHostsWriteFile: knownHostsPath,
  };
  const open = (name: string | null, routes: Routes) => {
    const route = new RouteChoice(routes);
    const pool = new SshPool(routes.direct, { logger, connect: (each) => route.connect(each) });
    return NodeLink.open(name, routes.direct, pool, { sudo: false, logger });
  };
  const entry = new EntryNodes([target], (each) => open(null, { direct: each }), logger);
  const nodes = new Nodes(entry, { addresses: new Map(), open, logger, ...options });
  nodes.learn(
    new Map(
      ['pve1', 'pve2', 'pve3'].map((name) => [
        name,
        { name, online: true, ip: simulator.node(name).connection.host },
      ]),
    ),
  );
  onTestFinished(async () => {
    await nodes.close();
    await entry.close();
  });
  return nodes;
}

const touch = ({ shell }: NodeLink) => shell.touch({ timeoutMs: 10_000 });
const openOn = (name: string) => simulator.node(name).connections.open;

test('are opened by the first use, and closed when they are idle', async () => {
  const nodes = nodesOf({ idleMs: 300 });
  expect(nodes.connections).toBe(0);
  await nodes.use('pve2', touch);
  expect(openOn('pve2')).toBe(1);
  expect(openOn('pve3')).toBe(0);
  await until(() => openOn('pve2') === 0);
  await nodes.use('pve2', touch);
  expect(openOn('pve2')).toBe(1);
});

test('are not closed while something runs on them', async () => {
  const nodes = nodesOf({ idleMs: 100 });
  await nodes.use('pve2', async (link) => {
    await touch(link);
    // Another node is opened and closed as idle meanwhile.
    await nodes.use('pve3', touch);
    await until(() => openOn('pve3') === 0);
    expect(openOn('pve2')).toBe(1);
    await touch(link);
  });
});

test('a failure of a node that other work uses is not a failure of the node where that work runs', async () => {
  simulator.node('pve3').refuseLogins();
  const nodes = nodesOf();
  await expect(
    nodes.use('pve2', async (link) => {
      await touch(link);
      await nodes.use('pve3', touch);
    }),
  ).rejects.toMatchObject({ code: 'SSH_AUTH_FAILED', node: 'pve3' });
  expect(openOn('pve2')).toBe(1);
  await nodes.use('pve2', touch);
});

test('to a node that is no member are refused, with the setting that gives an address', async () => {
  await expect(nodesOf().use('pve9', touch)).rejects.toMatchObject({
    code: 'SSH_UNREACHABLE',
    hint: expect.stringContaining('NODE_ADDRESSES=pve9='),
  });
});
