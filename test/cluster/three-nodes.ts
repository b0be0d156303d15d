import type { ScenarioInput } from '../../src/simulator/scenario.ts';

/** The containers of the cluster with three nodes, the same on the simulator and on the rig. */
export const MEMBERS = {
  /** On pve1, running. */
  first: 9106,
  /** On pve2, running. */
  second: 9109,
  /** On pve2, running; the one that is migrated. */
  moving: 9110,
  /** On pve3, running. */
  third: 9111,
  /** On pve3, stopped. */
  stopped: 9112,
} as const;

export type NodeName = 'pve1' | 'pve2' | 'pve3';
export const NODE_NAMES: readonly NodeName[] = ['pve1', 'pve2', 'pve3'];

const busybox = { flavour: 'alpine', disk: { size: '8G' } } as const;

/** The same as a scenario. Times are short, as on the rig. */
export const THREE_NODES: ScenarioInput = {
  cluster: 'rig',
  times: { start: 20, stop: 10, shutdown: 20, ha: 100, migrate: 50 },
  nodes: {
    pve1: { containers: { [MEMBERS.first]: { name: 'first', ...busybox } } },
    pve2: {
      containers: {
        [MEMBERS.second]: { name: 'second', ...busybox },
        [MEMBERS.moving]: { name: 'moving', ...busybox },
      },
    },
    pve3: {
      containers: {
        [MEMBERS.third]: { name: 'third', ...busybox },
        [MEMBERS.stopped]: { name: 'stopped', ...busybox, running: false },
      },
    },
  },
};
