import * as z from 'zod';
import { type ContainerFacts, SECTIONS } from '../../proxmox/inspect/inspect-types.ts';
import { formatBytes } from './format.ts';
import { skippedRow } from './targets.ts';

const path = z.object({ path: z.string(), bytes: z.number() });
const process = z.object({
  pid: z.number(),
  command: z.string(),
  cpu_percent: z.number(),
  memory_bytes: z.number(),
});
const texts = z.array(z.string());

const sections = {
  system: z.object({ os: z.string(), uptime_s: z.number().nullable(), time_zone: z.string() }),
  memory: z.object({
    used_bytes: z.number(),
    limit_bytes: z.number().nullable(),
    swap_bytes: z.number().nullable(),
    oom_kills: z.number().nullable(),
    top_processes: z.array(z.object({ pid: z.number(), process: z.string(), bytes: z.number() })).optional(),
  }),
  disk: z.object({
    mounts: z.array(
      z.object({
        path: z.string(),
        source: z.string(),
        size_bytes: z.number(),
        used_bytes: z.number(),
        use_percent: z.number(),
        inodes_percent: z.number().nullable(),
      }),
    ),
    largest_directories: z.array(path).optional(),
    largest_files: z.array(path).optional(),
    search_incomplete: z.boolean().optional(),
    deleted_open: z.array(path.extend({ pid: z.number(), process: z.string() })).optional(),
  }),
  network: z.object({
    addresses: texts,
    ports: z.array(
      z.object({
        protocol: z.string(),
        address: z.string(),
        port: z.number(),
        process: z.string().nullable(),
      }),
    ),
  }),
  services: z.object({ manager: z.string(), failed: texts, restarting: texts }),
  processes: z.object({ count: z.number(), top_cpu: z.array(process), top_memory: z.array(process) }),
  updates: z.object({
    manager: z.string(),
    pending: z.number().nullable(),
    security: z.number().nullable(),
    packages: texts,
    lists_time: z.string().nullable(),
    restart_required: z.boolean().nullable(),
    outdated_processes: texts.nullable(),
  }),
  logs: z.object({ source: z.string(), lines: texts }),
};

const containerRow = z.object({
  vmid: z.number(),
  name: z.string().nullable(),
  state: z.string(),
  /** Short findings: what an administrator should look at. */
  problems: texts,
  incomplete: z.string().nullable(),
  not_checked: z.array(z.object({ section: z.enum(SECTIONS), reason: z.string() })),
  system: sections.system.optional(),
  memory: sections.memory.optional(),
  disk: sections.disk.optional(),
  network: sections.network.optional(),
  services: sections.services.optional(),
  processes: sections.processes.optional(),
  updates: sections.updates.optional(),
  logs: sections.logs.optional(),
  /** The sections of which some is left out, or all, because the data would be too long. */
  left_out: texts.optional(),
});

const survivor = z.object({ pid: z.number(), name: z.string() });

/** The data of proxmox_inspect_containers. */
export const inspectionData = z.object({
  /** The node's clock when the values were read. */
  time: z.string(),
  /** Nodes whose clock differs from this server's. */
  clocks: z.array(z.object({ node: z.string().nullable(), ahead_s: z.number() })),
  containers: z.array(containerRow),
  skipped: z.array(skippedRow),
  /** Containers without problems that have no row, because the data would be too long. */
  left_out: z.array(z.number()).optional(),
  /** Processes of the inspection that could not be killed; null if unknown. */
  survivors: z.array(survivor).nullable(),
});

/** The output as clients are told. The sections are not described, because each client would pay for that. */
export const inspectionOutput = inspectionData.extend({
  containers: z.array(
    z.looseObject({
      vmid: z.number(),
      state: z.string(),
      problems: texts,
      not_checked: z.array(z.looseObject({})),
    }),
  ),
});

export type InspectionData = z.output<typeof inspectionData>;
export type InspectedRow = z.output<typeof containerRow>;

/**
 * Short findings about one container, the worst first.
 * @param options `threshold`: percent of a disk, its inodes or the memory from which on its use is one; `now`: the node's clock
 */
export function problemsOf(
  facts: ContainerFacts,
  { threshold, now }: { readonly threshold: number; readonly now: string },
): string[] {
  const { memory, disk, services, updates } = facts;
  const problems: string[] = [];
  if (facts.state === 'frozen') problems.push('frozen');
  for (const mount of disk?.mounts ?? []) {
    if (mount.use_percent >= threshold) problems.push(`disk ${mount.path} ${mount.use_percent} % full`);
    if ((mount.inodes_percent ?? 0) >= threshold)
      problems.push(`inodes ${mount.path} ${mount.inodes_percent} % used`);
  }
  if (isShort(memory, threshold))
    problems.push(`memory ${memoryPercent(memory)} % used${largestProcess(memory)}`);
  if ((memory?.oom_kills ?? 0) > 0) problems.push(`${memory?.oom_kills} out-of-memory kills`);
  for (const name of services?.failed ?? []) problems.push(`failed: ${name}`);
  for (const name of services?.restarting ?? []) problems.push(`restarts: ${name}`);
  if ((updates?.security ?? 0) > 0) problems.push(`${updates?.security} security updates`);
  const age = daysBetween(updates?.lists_time ?? null, now);
  if (age !== null && age >= OLD_LISTS_DAYS) problems.push(`package lists ${age} d old`);
  if (updates?.restart_required) problems.push('restart required');
  if (facts.incomplete !== null && facts.state !== 'frozen') problems.push('did not answer completely');
  return problems;
}

/** Whether a container uses nearly all of the memory that it may use. */
export function isShort(memory: ContainerFacts['memory'], threshold: number): boolean {
  return (memoryPercent(memory) ?? 0) >= Math.max(threshold, 90);
}

function largestProcess(memory: ContainerFacts['memory']): string {
  const [top] = memory?.top_processes ?? [];
  return top === undefined ? '' : ` (${top.process} ${formatBytes(top.bytes)})`;
}

/** Whether a mount, or its inodes, are used from `threshold` percent on. */
export function hasFullMount({ mounts }: NonNullable<InspectedRow['disk']>, threshold: number): boolean {
  return mounts.some((mount) => isFull(mount, threshold));
}

export function isFull(
  { use_percent, inodes_percent }: NonNullable<InspectedRow['disk']>['mounts'][number],
  threshold: number,
): boolean {
  return Math.max(use_percent, inodes_percent ?? 0) >= threshold;
}

/** From this age on, package lists say little about pending updates. */
const OLD_LISTS_DAYS = 7;

/** Whole days from one time to another; null if the first is unknown. */
export function daysBetween(from: string | null, to: string): number | null {
  return from === null ? null : Math.max(0, Math.floor((Date.parse(to) - Date.parse(from)) / 86_400_000));
}

export function memoryPercent(memory: ContainerFacts['memory'] | InspectedRow['memory']): number | null {
  if (memory === undefined || memory.limit_bytes === null || memory.limit_bytes === 0) return null;
  return Math.round((memory.used_bytes / memory.limit_bytes) * 100);
}
