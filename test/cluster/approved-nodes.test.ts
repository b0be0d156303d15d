import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Simulator } from '../../src/simulator/simulator.ts';
import { codeOf, RawClient, yes } from '../governance/raw-client.ts';
import { MEMBERS, NODE_NAMES, type NodeName, THREE_NODES } from './three-nodes.ts';

let simulator: Simulator;
let dir: string;
const servers: RawClient[] = [];
beforeEach(async () => {
  simulator = await Simulator.start({ scenario: THREE_NODES });
  dir = await mkdtemp(path.join(tmpdir(), 'cluster-approvals-'));
  const lines = NODE_NAMES.map((node) => simulator.node(node).connection.knownHostsLine);
  await writeFile(path.join(dir, 'known_hosts'), `${lines.join('\n')}\n`);
  const rules =
    'rules:\n  - rule: ask\n    match: { effect: [write, destroy, exec] }\n    outcome: confirm\ndefault: allow\n';
  await writeFile(path.join(dir, 'policy.yaml'), rules);
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.kill();
  await simulator.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Replicas of one server: their approvals are signed with the same key. */
function enteringBy(...nodes: NodeName[]): RawClient {
  const { port, keyPath } = simulator.node('pve1').connection;
  const server = new RawClient({
    HOME: dir,
    I_ACCEPT_RISKS: 'true',
    ENABLE_HOST_EXEC: 'true',
    HOST: nodes.map((node) => simulator.node(node).connection.host).join(','),
    SSH_PORT: String(port),
    SSH_KEY: keyPath,
    SSH_KNOWN_HOSTS: path.join(dir, 'known_hosts'),
    SSH_HOST_KEY_POLICY: 'strict',
    POLICY_FILE: path.join(dir, 'policy.yaml'),
    STATE_DIR: path.join(dir, `state-${servers.length}`),
    STATE_KEY: 'k'.repeat(48),
  });
  servers.push(server);
  return server;
}

const claims = (node: NodeName) => {
  const { files } = simulator.node(node);
  return files.exists('/run/proxmox-mcp/claims') ? files.list('/run/proxmox-mcp/claims').length : 0;
};

test('an approval is redeemed once, on the node of the container, through any entry node', async () => {
  const server = enteringBy('pve1', 'pve2');
  const call = ['container_exec_command', { vmid: MEMBERS.third, command: 'echo once' }] as const;
  const { requestState, inputRequests } = await server.call(...call);
  expect(JSON.stringify(inputRequests)).toContain('pve3');
  expect((await server.call(...call, yes(requestState))).structuredContent).toMatchObject({
    stdout: 'once\n',
  });
  expect(NODE_NAMES.map(claims)).toEqual([0, 0, 1]);
  await simulator.node('pve1').goOffline();
  expect(codeOf(await server.call(...call, yes(requestState)))).toBe('APPROVAL_USED');
});

test('an approval for the host names the node, and is invalid on a replacement node', async () => {
  const server = enteringBy('pve1', 'pve2');
  const call = ['host_exec_command', { command: 'hostname' }] as const;
  const { requestState, inputRequests } = await server.call(...call);
  expect(JSON.stringify(inputRequests)).toContain('the Proxmox node pve1');
  expect((await server.call(...call, yes(requestState))).structuredContent).toMatchObject({
    stdout: 'pve1\n',
  });
  expect(codeOf(await server.call(...call, yes(requestState)))).toBe('APPROVAL_USED');
  await simulator.node('pve1').goOffline();
  await server.call('list_containers', {});
  const replayed = await server.call(...call, yes(requestState));
  expect(['APPROVAL_INVALID', 'SSH_UNREACHABLE']).toContain(codeOf(replayed));
});

test('an approval for containers of several nodes is first redeemed as a whole on the entry node', async () => {
  const server = enteringBy('pve1');
  const vmids = [MEMBERS.second, MEMBERS.third];
  const call = ['exec_in_containers', { vmids, command: 'echo a' }] as const;
  const { requestState } = await server.call(...call);
  const first = await server.call(...call, yes(requestState));
  expect(first.structuredContent, JSON.stringify(first)).toBeDefined();
  expect(NODE_NAMES.map(claims)).toEqual([1, 1, 1]);
  // Whatever has not run is not run by a repetition.
  expect(codeOf(await enteringBy('pve1').call(...call, yes(requestState)))).toBe('APPROVAL_USED');
  expect(NODE_NAMES.map(claims)).toEqual([1, 1, 1]);
});

test('an approval of a copy between two nodes is redeemed on the entry node, and then on both', async () => {
  const server = enteringBy('pve1');
  simulator.container(MEMBERS.second).write('/root/source', 'x');
  const paths = { source: `${MEMBERS.second}:/root/source`, target: `${MEMBERS.third}:/root/copy` };
  const call = ['copy_file', paths] as const;
  const { requestState, inputRequests } = await server.call(...call);
  expect(JSON.stringify(inputRequests)).toMatch(/pve2.*pve3|pve3.*pve2/);
  const result = await server.call(...call, yes(requestState));
  expect(result.structuredContent, JSON.stringify(result)).toMatchObject({ success: true });
  expect(simulator.container(MEMBERS.third).file('/root/copy')).toBe('x');
  expect(NODE_NAMES.map(claims)).toEqual([1, 1, 1]);
  simulator.container(MEMBERS.third).files.remove('/root/copy');
  for (const again of [server, enteringBy('pve1')]) {
    expect(codeOf(await again.call(...call, yes(requestState)))).toBe('APPROVAL_USED');
  }
  expect(simulator.container(MEMBERS.third).files.exists('/root/copy')).toBe(false);
});
