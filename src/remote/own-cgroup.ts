/** Proxmox VE names the cgroup of a container lxc/VMID; LXC without it, lxc.payload.NAME. */
const CONTAINER = /^\/(?:.*?\/)??lxc(?:\/|\.payload[./])([1-9]\d{2,8})(?:\/|$)/;

/**
 * The container whose cgroup a process belongs to; null outside of all containers. A container may name the cgroups below its
 * own as it likes, so only the outermost counts.
 * @param text /proc/PID/cgroup as the node sees it; cgroup v1 has a line for each hierarchy
 */
export function vmidOfCgroup(text: string): number | null {
  for (const line of text.split('\n')) {
    const [, path = ''] = /^\d+:[^:]*:(.*)$/.exec(line) ?? [];
    const [, vmid] = CONTAINER.exec(path) ?? [];
    if (vmid !== undefined) return Number(vmid);
  }
  return null;
}
