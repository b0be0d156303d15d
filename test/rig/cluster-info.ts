import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { RigInfo } from './info.ts';

const node = z.object({ address: z.string(), holderPid: z.number(), holderStarted: z.string() });

const clusterInfo = z.object({
  id: z.string(),
  port: z.number(),
  state: z.string(),
  nodes: z.record(z.string(), node),
});

/** The data about the cluster that `cluster-up` writes. */
export type RigClusterInfo = z.infer<typeof clusterInfo>;

/** The state directory of the cluster that belongs to a rig. */
export function clusterStateOf(rig: RigInfo): string {
  return process.env.RIG_CLUSTER_STATE ?? join(dirname(rig.paths.state), '.cluster');
}

/**
 * @throws Error if no cluster runs
 */
export function readClusterInfo(state: string): RigClusterInfo {
  return clusterInfo.parse(JSON.parse(readFileSync(join(state, 'cluster.json'), 'utf8')));
}
