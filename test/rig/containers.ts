/** Containers of the rig, by what they are for. */
export const CT = {
  /** Debian with bash, procps, sudo and perl; runs. /mnt/small is 1 MiB, /mnt/ro is read-only. */
  debian: 9101,
  /** busybox, no bash; runs. Has /mnt/small and /mnt/ro as well. */
  busybox: 9102,
  /** busybox; does not run. */
  stopped: 9103,
  /** busybox; runs, and `lock: backup` is in its configuration. */
  locked: 9104,
  /** Configured on the other node; this node has no such container. */
  elsewhere: 9105,
  /** No container has this VMID. */
  unknown: 9199,
} as const;
