export type RunState = 'running' | 'stopped' | 'unknown';

/** One container in the inventory. */
export interface ContainerSummary {
  readonly vmid: number;
  /** `unknown`: its node does not answer. */
  readonly status: RunState;
  /** Running, but all its processes are frozen, so it does not respond. */
  readonly frozen: boolean;
  readonly name: string;
  /** The lock of the configuration (`backup`, `migrate`, …), or null. */
  readonly lock: string | null;
  readonly node: string;
  /** Whether it is on the entry node. */
  readonly local: boolean;
  /** Why the status could not be read on the node of the container. */
  readonly reason?: string;
  readonly template: boolean;
  readonly tags: readonly string[];
  readonly pool: string | null;
}

/** Usage as its node publishes it every 10 s. Bytes, seconds; cpu as a fraction of all its cores. */
export interface Usage {
  /** How old the figures are; null if that is not known. */
  readonly age_s: number | null;
  readonly uptime_s: number | null;
  readonly cpu: number | null;
  readonly cpus: number | null;
  readonly memory_bytes: number | null;
  readonly memory_max_bytes: number | null;
  readonly disk_bytes: number | null;
  readonly disk_max_bytes: number | null;
}

export interface ContainerStatus extends ContainerSummary {
  readonly usage: Usage | null;
}

/** One container in the inventory, with its usage and the operating system and addresses of its configuration. */
export interface ContainerDetails extends ContainerSummary {
  readonly usage: Usage | null;
  /** Type of the operating system, such as `debian`. */
  readonly osType: string | null;
  /** The addresses that it has; if they are not known or it does not run, those of its configuration, such as `dhcp`. */
  readonly addresses: readonly string[];
}
