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

/** What `cluster-up` tells of the cluster. */
export type RigClusterInfo = z.infer<typeof clusterInfo>;

/** Where the cluster that belongs to a rig keeps its state. */
export function clusterStateOf(rig: RigInfo): string {
  return process.env.RIG_CLUSTER_STATE ?? join(dirname(rig.paths.state), '.cluster');
}

/** @throws Error where no cluster is up */
export function readClusterInfo(state: string): RigClusterInfo {
  return clusterInfo.parse(JSON.parse(readFileSync(join(state, 'cluster.json'), 'utf8')));
}
