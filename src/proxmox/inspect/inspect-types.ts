import type { AppError } from '../../lib/errors.ts';
import type { Precondition, Survivor } from '../../remote/remote-types.ts';

/** The subjects that can be inspected. */
export const SECTIONS = [
  'system',
  'memory',
  'disk',
  'network',
  'services',
  'processes',
  'updates',
  'logs',
] as const;
export type Section = (typeof SECTIONS)[number];

/** The subjects of an overview. They cost little in each container. */
export const OVERVIEW: readonly Section[] = ['system', 'memory', 'disk', 'services'];

export interface InspectRequest {
  readonly containers: readonly {
    readonly vmid: number;
    readonly precondition: Precondition | null;
    readonly sections: readonly Section[];
  }[];
  /** Also finds the largest directories and files, and files that are deleted but open. */
  readonly diskUsage: boolean;
  /** The most rows of each list, for each container. */
  readonly mostRows: number;
  readonly signal: AbortSignal;
}

export interface Mount {
  readonly path: string;
  readonly source: string;
  readonly size_bytes: number;
  readonly used_bytes: number;
  /** The percentage that df reports, relative to the space for users other than root. */
  readonly use_percent: number;
  readonly inodes_percent: number | null;
}

export interface SizedPath {
  readonly path: string;
  readonly bytes: number;
}

export interface DeletedFile extends SizedPath {
  /** Its PID on the node. */
  readonly pid: number;
  readonly process: string;
}

export interface Port {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** null: no process of the container has the socket open. */
  readonly process: string | null;
}

export interface BusyProcess {
  /** On the node. */
  readonly pid: number;
  readonly command: string;
  /** Percent of one core, over half a second. */
  readonly cpu_percent: number;
  readonly memory_bytes: number;
}

/** Why a section, or some of it, is unknown. */
export interface NotChecked {
  readonly section: Section;
  /** A sentence. */
  readonly reason: string;
}

/**
 * The facts about one container. A section is absent if it was not requested, or if `not_checked` says why it is unknown. A list
 * is never empty, and a number never 0, because it was not read.
 */
export interface ContainerFacts {
  readonly vmid: number;
  readonly state: 'running' | 'frozen';
  /** Why the script in the container did not finish; its facts are missing or incomplete. */
  readonly incomplete: string | null;
  readonly not_checked: readonly NotChecked[];
  readonly system?: { readonly os: string; readonly uptime_s: number | null; readonly time_zone: string };
  readonly memory?: {
    readonly used_bytes: number;
    /** null: no limit. */
    readonly limit_bytes: number | null;
    readonly swap_bytes: number | null;
    /** Processes that the kernel killed because memory ran out, since the container started. */
    readonly oom_kills: number | null;
    /** Those with most memory of their own: without files and shared memory. */
    readonly top_processes?: readonly {
      readonly pid: number;
      readonly process: string;
      readonly bytes: number;
    }[];
  };
  readonly disk?: {
    readonly mounts: readonly Mount[];
    readonly largest_directories?: readonly SizedPath[];
    readonly largest_files?: readonly SizedPath[];
    /** The search for the largest was ended after its time limit. */
    readonly search_incomplete?: boolean;
    readonly deleted_open?: readonly DeletedFile[];
  };
  readonly network?: { readonly addresses: readonly string[]; readonly ports: readonly Port[] };
  readonly services?: {
    /** none: no known one runs in it. */
    readonly manager: 'systemd' | 'OpenRC' | 'runit' | 's6' | 'none';
    readonly failed: readonly string[];
    readonly restarting: readonly string[];
  };
  readonly processes?: {
    readonly count: number;
    readonly top_cpu: readonly BusyProcess[];
    readonly top_memory: readonly BusyProcess[];
  };
  readonly updates?: {
    readonly manager: 'apt' | 'apk' | 'dnf' | 'zypper' | 'pacman' | 'none';
    /** null: unknown. */
    readonly pending: number | null;
    /** null: the package manager does not report it. */
    readonly security: number | null;
    readonly packages: readonly string[];
    /** When the package lists were fetched; null if unknown. */
    readonly lists_time: string | null;
    /** Debian and Ubuntu ask for a restart in /run/reboot-required; null: other systems. */
    readonly restart_required: boolean | null;
    /** Processes that use files that have been replaced since they were opened; null: unknown. */
    readonly outdated_processes: readonly string[] | null;
  };
  readonly logs?: { readonly source: string; readonly lines: readonly string[] };
}

export interface NodeClock {
  /** null: the entry node. */
  readonly node: string | null;
  /** When the values were read, in seconds since the epoch. */
  readonly time: number;
  /** Seconds by which it is ahead of this server's clock. */
  readonly skew: number;
}

export interface Inspection {
  readonly containers: readonly ContainerFacts[];
  readonly failed: readonly { readonly vmid: number; readonly error: AppError }[];
  /** The clocks of the nodes, which their containers share. */
  readonly clocks: readonly NodeClock[];
  /** Processes that could not be killed after a time limit; null if unknown. */
  readonly survivors: readonly Survivor[] | null;
}
