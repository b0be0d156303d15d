import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findRig } from './info.ts';

/** The VMIDs in test/fixtures/etc-pve begin with this one. */
const FIXTURE_FIRST = 9101;
const FIXTURES = fileURLToPath(new URL('../fixtures/etc-pve/', import.meta.url));
const found = findRig();
const first = 'info' in found ? found.info.firstVmid : FIXTURE_FIRST;

/**
 * Containers of the rig, by what they are for. Each rig of the machine has other VMIDs, so tests must not contain VMIDs as
 * numbers. The simulator has the same VMIDs as the rig.
 */
export const CT = {
  /** Debian with bash, procps, sudo and perl; runs. /mnt/small is 1 MiB, /mnt/ro is read-only. */
  debian: first,
  /** busybox, no bash; runs. Has /mnt/small and /mnt/ro as well. */
  busybox: first + 1,
  /** busybox; does not run. */
  stopped: first + 2,
  /** busybox; runs, and `lock: backup` is in its configuration. */
  locked: first + 3,
  /** Configured on the other node; this node has no such container. */
  elsewhere: first + 4,
  /** No container has this VMID. */
  unknown: first + 9,
} as const;

/** Content of a file of /etc/pve in the initial state, for example `vmlist`; its VMIDs are those of `CT`. */
export function pveFixture(name: string): string {
  return readFileSync(FIXTURES + name, 'utf8').replaceAll(/\b910[1-5]\b/g, (vmid) =>
    String(Number(vmid) - FIXTURE_FIRST + first),
  );
}

/** The initial configuration of a container. */
export function initialConf(vmid: number): string {
  const node = vmid === CT.elsewhere ? 'pve2' : 'pve1';
  return pveFixture(`nodes/${node}/lxc/${vmid - first + FIXTURE_FIRST}.conf`);
}
