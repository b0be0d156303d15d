import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { execResult } from '../e2e/connect.ts';
import { type ConnectOptions, connectClient, type TestClient } from '../mcp/client.ts';
import { NODE_NAMES, type NodeName } from './three-nodes.ts';

/** A server with these entry nodes, in this order, and a client. */
export interface ClusterClient {
  readonly client: TestClient;
  call(tool: string, args: Record<string, unknown>): ReturnType<TestClient['callTool']>;
  exec(vmid: number, command: string): Promise<ReturnType<typeof execResult>>;
}

export async function enterBy(
  simulator: Simulator,
  nodes: readonly NodeName[],
  env: Readonly<Record<string, string>> = {},
  options: Omit<ConnectOptions, 'env'> = {},
): Promise<ClusterClient> {
  const directory = mkdtempSync(path.join(tmpdir(), 'cluster-client-'));
  // Only the host keys of the entry nodes: those of the others must come from the cluster.
  const lines = nodes.map((node) => simulator.node(node).connection.knownHostsLine);
  const knownHosts = path.join(directory, 'known_hosts');
  writeFileSync(knownHosts, `${lines.join('\n')}\n`);
  const { port, keyPath } = simulator.node(NODE_NAMES[0]).connection;
  const client = await connectClient({
    ...options,
    env: {
      I_ACCEPT_RISKS: 'true',
      HOST: nodes.map((node) => simulator.node(node).connection.host).join(','),
      SSH_PORT: String(port),
      SSH_KEY: keyPath,
      SSH_KNOWN_HOSTS: knownHosts,
      SSH_HOST_KEY_POLICY: 'strict',
      LOG_LEVEL: 'debug',
      ...env,
    },
  });
  onTestFinished(async () => {
    await client.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const call = (tool: string, args: Record<string, unknown>) => client.callTool(`proxmox_${tool}`, args);
  return {
    client,
    call,
    exec: async (vmid, command) => execResult(await call('container_exec_command', { vmid, command })),
  };
}
