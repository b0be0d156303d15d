import { expect, test } from 'vitest';
import * as z from 'zod';
import { Simulator } from '../../src/simulator/simulator.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { settingsWithoutNode, silentNode } from '../mcp/fixtures.ts';
import { modern } from './requests.ts';
import { HttpServer } from './server.ts';

const shape = z.strictObject({
  status: z.string(),
  service: z.literal('proxmox-mcp-server'),
  ssh_connected: z.boolean(),
});

async function health(server: HttpServer, query = '') {
  const response = await fetch(server.at(`/health${query}`));
  return { code: response.status, ...shape.parse(await response.json()) };
}

async function withServer(env: Record<string, string>, use: (server: HttpServer) => Promise<void>) {
  const server = await HttpServer.start({ env });
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

const UP = { code: 200, status: 'healthy', service: 'proxmox-mcp-server' };

test('/health reports that the server runs and whether SSH is connected, and nothing more', async () => {
  const node = new SimulatedNode();
  await node.start();
  try {
    await withServer(node.settings(), async (server) => {
      expect(await health(server)).toEqual({ ...UP, ssh_connected: false });
      const call = modern('tools/call', { name: 'proxmox_list_containers', arguments: {} });
      await (await fetch(server.url, call)).text();
      expect(await health(server)).toEqual({ ...UP, ssh_connected: true });
      expect(await health(server, '?ready')).toEqual({ ...UP, ssh_connected: true });
    });
  } finally {
    await node.stop();
  }
});

test('?ready connects, and returns 200 for an available node', async () => {
  const simulator = await Simulator.start({});
  const { host, port, keyPath, knownHostsPath } = simulator.node().connection;
  const settings = { HOST: host, SSH_PORT: String(port), SSH_KEY: keyPath, SSH_KNOWN_HOSTS: knownHostsPath };
  try {
    await withServer({ I_ACCEPT_RISKS: 'true', ...settings }, async (server) => {
      expect(await health(server, '?ready')).toEqual({ ...UP, ssh_connected: true });
    });
  } finally {
    await simulator.stop();
  }
});

test('?ready returns 503 for an unreachable node, and /health still 200', async () => {
  await withServer(await settingsWithoutNode(), async (server) => {
    expect(await health(server, '?ready')).toMatchObject({ code: 503, ssh_connected: false });
    expect(await health(server)).toEqual({ ...UP, ssh_connected: false });
  });
});

test('?ready returns 503 for a silent node, and shares one connection between many requests', async () => {
  const node = await silentNode();
  const settings = { ...(await settingsWithoutNode()), SSH_PORT: String(node.port) };
  try {
    await withServer(settings, async (server) => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => health(server, '?ready')));
      expect(answers.every(({ code }) => code === 503)).toBe(true);
      expect(node.connections()).toBe(1);
    });
  } finally {
    node.close();
  }
});
