import * as z from 'zod';
import { AppError } from '../../lib/errors.ts';
import type { ScriptOutput } from '../../remote/remote-shell.ts';
import { parseRunning } from '../inventory/parse-inventory.ts';

/** The state of a node, as the node reports it. Bytes, seconds. */
export interface NodeState {
  /** The version of pve-manager; null if it is not installed by its package. */
  readonly version: string | null;
  readonly kernel: string;
  readonly cpus: number | null;
  readonly uptimeS: number | null;
  /** Average load of the last minute. */
  readonly load: number | null;
  readonly memory: number | null;
  readonly memoryUsed: number | null;
  /** Containers that run on it. */
  readonly running: ReadonlySet<number>;
}

/** Use of a storage as one node publishes it. Bytes. */
export interface StorageUse {
  readonly node: string;
  readonly storage: string;
  readonly total: number;
  readonly used: number;
}

export interface HaStatus {
  readonly master: string | null;
  readonly nodes: ReadonlyMap<string, string>;
  /** State by service, such as `ct:101`. */
  readonly services: ReadonlyMap<string, string>;
}

/** Parses the state of its node that cluster-status.sh reports. */
export function parseNodeState({ items, sections }: Pick<ScriptOutput, 'items' | 'sections'>): NodeState {
  const item = (key: string) => items.find(([name]) => name === key)?.[1] ?? '';
  const [uptime = '', load = ''] = (sections.get('load') ?? '').split('\n');
  const memory = sections.get('memory') ?? '';
  const kib = (key: string) => toNumber(new RegExp(`^${key}:\\s*(\\d+) kB`, 'm').exec(memory)?.[1]);
  const total = kib('MemTotal');
  const free = kib('MemAvailable');
  return {
    version: item('version') || null,
    kernel: item('kernel'),
    cpus: toNumber(item('cpus')),
    uptimeS: toNumber(uptime.split(' ')[0]),
    load: toNumber(load.split(' ')[0]),
    memory: total === null ? null : total * 1024,
    memoryUsed: total === null || free === null ? null : (total - free) * 1024,
    running: new Set(parseRunning(sections.get('unix') ?? '').keys()),
  };
}

/** Parses the `pve-storage-9.0/NODE/STORAGE:ctime:total:used` lines of /etc/pve/.rrd (`pve2-storage/…` on PVE 8). */
export function parseStorageUse(rrd: string): StorageUse[] {
  const found: StorageUse[] = [];
  for (const line of rrd.replaceAll('\0', '').split('\n')) {
    const match = /^(?:pve-storage-[\d.]+|pve[\d.]+-storage)\/([^/:]+)\/([^/:]+):[^:]*:(\d+):(\d+)$/.exec(
      line,
    );
    const [, node = '', storage = '', total, used] = match ?? [];
    if (match) found.push({ node, storage, total: Number(total), used: Number(used) });
  }
  return found;
}

/** Parses storage.cfg: the type of each storage. */
export function parseStorageTypes(text: string): Map<string, string> {
  const types = new Map<string, string>();
  for (const [, type = '', name = ''] of text.matchAll(/^(\w+):[ \t]*(\S+)[ \t]*$/gm)) types.set(name, type);
  return types;
}

/** The state of all guests that publish one, virtual machines included: whether they run. */
export function parsePublishedStates(rrd: string): Map<number, boolean> {
  const states = new Map<number, boolean>();
  for (const [, id, status] of rrd.matchAll(
    /^(?:pve-vm-[\d.]+|pve[\d.]+-vm)\/(\d+):[^:\n]*:[^:\n]*:([^:\n]*):/gm,
  )) {
    states.set(Number(id), status === 'running');
  }
  return states;
}

const Manager = z.object({
  master_node: z.string().optional(),
  node_status: z.record(z.string(), z.string()).optional(),
  service_status: z.record(z.string(), z.object({ state: z.string().optional() })).optional(),
});

/** Parses manager_status; null where HA manages nothing. */
export function parseHa(resources: string, manager: string): HaStatus | null {
  if (!/^(?:ct|vm):/m.test(resources)) return null;
  const status = toJson(manager) ?? {};
  const services = Object.entries(status.service_status ?? {});
  return {
    master: status.master_node ?? null,
    nodes: new Map(Object.entries(status.node_status ?? {})),
    services: new Map(services.map(([name, { state = 'unknown' }]) => [name, state])),
  };
}

function toJson(text: string): z.output<typeof Manager> | undefined {
  try {
    return Manager.safeParse(JSON.parse(text.replaceAll('\0', ''))).data;
  } catch {
    return undefined;
  }
}

function toNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

/** @throws AppError if the script did not end */
export function assertComplete({ items, ended }: ScriptOutput): void {
  if (items.some(([key]) => key === 'end')) return;
  throw new AppError(
    ended === 'cancelled' ? 'CANCELLED' : 'SSH_UNREACHABLE',
    ended === 'cancelled'
      ? 'The call was cancelled. It changed nothing.'
      : 'The node did not answer in time.',
    'Check the load of the node and the network, then call again.',
  );
}
