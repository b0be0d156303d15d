/** Proxmox VE names the cgroup of a container lxc/VMID. LXC without Proxmox VE names it lxc.payload.NAME. */
const CONTAINER = /^\/(?:.*?\/)??lxc(?:\/|\.payload[./])([1-9]\d{2,8})(?:\/|$)/;

/**
 * The container that the cgroup of a process belongs to; null outside of all containers. A container controls the names of the
 * cgroups below its own, so only the outermost one counts.
 * @param text /proc/PID/cgroup as seen by the node; cgroup v1 has one line per hierarchy
 */
export function vmidOfCgroup(text: string): number | null {
  for (const line of text.split('\n')) {
    const [, path = ''] = /^\d+:[^:]*:(.*)$/.exec(line) ?? [];
    const [, vmid] = CONTAINER.exec(path) ?? [];
    if (vmid !== undefined) return Number(vmid);
  }
  return null;
}
