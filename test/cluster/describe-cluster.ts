import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, onTestFinished } from 'vitest';
import { execResult } from '../e2e/connect.ts';
import { type CallOptions, type ConnectOptions, connectClient, type TestClient } from '../mcp/client.ts';
import { clusterStateOf } from '../rig/cluster-info.ts';
import { findRig, rigDirectory } from '../rig/info.ts';
import { holdLock, type Undo } from '../rig/lock.ts';
import { must } from '../rig/run.ts';
import type { ClusterUnderTest } from './cluster-under-test.ts';
import { RiggedCluster } from './rigged-cluster.ts';
import { SimulatedCluster } from './simulated-cluster.ts';
import type { NodeName } from './three-nodes.ts';

/** Other suites may have to end first. */
const LOCK_PATIENCE_MS = 15 * 60_000;

/**
 * A suite with one list of cases that runs on three simulated nodes and on the three nodes of the rig. Each case begins with
 * the cluster in its initial state. The first suite that needs the nodes of the rig starts them.
 */
export function describeCluster(name: string, suite: (cluster: ClusterUnderTest) => void): void {
  describe(`simulator: ${name}`, () => {
    const cluster = new SimulatedCluster();
    beforeAll(() => cluster.start());
    afterAll(() => cluster.stop());
    afterEach(() => cluster.reset());
    suite(cluster);
  });
  const found = findRig();
  if ('reason' in found) {
    describe.skip(`rig: ${name} (skipped: ${found.reason})`, () => suite(new RiggedCluster()));
    return;
  }
  const { info } = found;
  describe(`rig: ${name}`, () => {
    const cluster = new RiggedCluster();
    let release: Undo | undefined;
    beforeAll(async () => {
      const state = clusterStateOf(info);
      // There is one cluster, beside the rigs.
      release = await holdLock(['flock', dirname(state), 'sh', '-c', 'echo held; exec cat']);
      await must([join(rigDirectory, 'cluster-up')], { env: { RIG_CLUSTER_STATE: state } });
      cluster.open(state);
      await cluster.reset();
    }, LOCK_PATIENCE_MS);
    afterEach(() => cluster.reset());
    afterAll(() => release?.());
    suite(cluster);
  });
}

/** A server in the cluster, with a client. */
export interface ClusterServer {
  readonly client: TestClient;
  call(
    tool: string,
    args: Record<string, unknown>,
    options?: CallOptions,
  ): ReturnType<TestClient['callTool']>;
  /** Runs a command that must succeed. */
  exec(vmid: number, command: string, more?: Record<string, unknown>): Promise<ReturnType<typeof execResult>>;
}

/** Starts a server with these entry nodes, in this order, until the test has finished. */
export async function serve(
  cluster: ClusterUnderTest,
  entries: readonly NodeName[] = ['pve1'],
  env: Readonly<Record<string, string>> = {},
  options: Omit<ConnectOptions, 'env'> = {},
): Promise<ClusterServer> {
  const client = await connectClient({ ...options, env: { ...cluster.settings(entries), ...env } });
  onTestFinished(() => client.close());
  const call: ClusterServer['call'] = (tool, args, callOptions) =>
    client.callTool(`proxmox_${tool}`, args, callOptions);
  return {
    client,
    call,
    exec: async (vmid, command, more = {}) =>
      execResult(await call('container_exec_command', { vmid, command, ...more })),
  };
}
