import * as z from 'zod';
import type { ContainerSummary, Usage } from '../proxmox-types.ts';

/** A guest as listed in the cluster's files, before its run state is known. */
export interface GuestEntry {
  readonly vmid: number;
  readonly node: string;
  readonly type: 'lxc' | 'qemu' | 'openvz';
}

const MembersFile = z.object({
  nodename: z.string(),
  cluster: z.object({ name: z.string().optional(), quorate: z.number().optional() }).optional(),
  nodelist: z
    .record(z.string(), z.object({ online: z.number().optional(), ip: z.string().optional() }))
    .optional(),
});

/** One node of the cluster, as the cluster sees it. */
export interface Member {
  readonly name: string;
  readonly online: boolean;
  /** The address in the network of the cluster; null if it is not known. */
  readonly ip: string | null;
}

export interface Members {
  /** The node on which it was read. */
  readonly node: string;
  /** The name of the cluster; null on a standalone node. */
  readonly cluster: string | null;
  readonly quorate: boolean;
  /** By name; a standalone node is its only member. */
  readonly members: ReadonlyMap<string, Member>;
}

/** Parses /etc/pve/.vmlist: guests of all nodes by VMID. @throws SyntaxError on something else. */
export function parseVmlist(text: string): Map<number, GuestEntry> {
  const list: unknown = JSON.parse(text);
  if (!isRecord(list)) throw new SyntaxError('it is not an object');
  const { ids = {} } = list;
  if (!isRecord(ids)) throw new SyntaxError('ids is not an object');
  const guests = new Map<number, GuestEntry>();
  // Parsed without a schema, which would take three times as long for ten thousand guests.
  for (const [id, entry] of Object.entries(ids)) {
    const { node, type } = isRecord(entry) ? entry : {};
    if (typeof node !== 'string' || !isGuestType(type)) throw new SyntaxError(`guest ${id} is invalid`);
    guests.set(Number(id), { vmid: Number(id), node, type });
  }
  return guests;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isGuestType(value: unknown): value is GuestEntry['type'] {
  return value === 'lxc' || value === 'qemu' || value === 'openvz';
}

/** Parses /etc/pve/.members. `quorate` is true on a standalone node. @throws SyntaxError or ZodError on something else */
export function parseMembers(text: string): Members {
  const { nodename: node, cluster, nodelist = {} } = MembersFile.parse(JSON.parse(text));
  const members = new Map<string, Member>([[node, { name: node, online: true, ip: null }]]);
  for (const [name, { online, ip }] of Object.entries(nodelist)) {
    members.set(name, { name, online: online !== 0, ip: ip || null });
  }
  return { node, cluster: cluster ? (cluster.name ?? '') : null, quorate: cluster?.quorate !== 0, members };
}

/**
 * The running containers, which are those with a command socket. The value is true for those that are frozen, according to their
 * cgroup.
 */
export function parseRunning(text: string): ReadonlyMap<number, boolean> {
  const frozen = new Set<number>();
  for (const [, id] of text.matchAll(/^\S*\/lxc\/(\d+)\/(?:cgroup\.events|freezer\.state):/gm))
    frozen.add(Number(id));
  const running = new Map<number, boolean>();
  for (const [, id] of text.matchAll(/@\/var\/lib\/lxc\/(\d+)\/command$/gm)) {
    running.set(Number(id), frozen.has(Number(id)));
  }
  return running;
}

/** The operating system and the addresses in the configuration of a container. */
export interface ConfigDetails {
  /** Type of the operating system, such as `debian`. */
  readonly osType: string | null;
  /** Addresses as configured, without prefix length; `dhcp` and the like as they are. */
  readonly addresses: readonly string[];
  /** Names of its network interfaces, such as `eth0`. */
  readonly interfaces: readonly string[];
}

export interface ContainerConfig extends ConfigDetails {
  readonly name: string | null;
  readonly lock: string | null;
  readonly template: boolean;
  readonly tags: readonly string[];
}

/**
 * Parses `nodes/NODE/lxc/ID.conf:key: value` lines as grep prints them. Lines after the first `[section]` of a file belong to a
 * snapshot, not to the current state.
 */
export function parseConfigLines(text: string): Map<number, ContainerConfig & { node: string }> {
  const values = new Map<number, { node: string; over: boolean; keys: Map<string, string> }>();
  for (const line of text.split('\n')) {
    const match = /^nodes\/([^/]+)\/lxc\/(\d+)\.conf:(?:\[|(\w+):(.*)$)/.exec(line);
    if (!match) continue;
    const [, node = '', id, key, value = ''] = match;
    const vmid = Number(id);
    const file = values.get(vmid) ?? { node, over: false, keys: new Map<string, string>() };
    values.set(vmid, file);
    if (key === undefined) file.over = true;
    else if (!file.over) file.keys.set(key, value.trim());
  }
  const configs = new Map<number, ContainerConfig & { node: string }>();
  for (const [vmid, { node, keys }] of values) {
    configs.set(vmid, { node, ...configFrom(keys) });
  }
  return configs;
}

/** Parses `pct config ID`: `key: value` lines of the current configuration only, with the description percent-encoded. */
export function parsePctConfig(text: string): ContainerConfig {
  const lines = [...text.matchAll(/^(\w+): (.*)$/gm)];
  return configFrom(new Map(lines.map(([, key = '', value = '']) => [key, value.trim()])));
}

function configFrom(keys: ReadonlyMap<string, string>): ContainerConfig {
  const networks = [...keys].flatMap(([key, value]) => (/^net\d+$/.test(key) ? [value] : []));
  return {
    osType: keys.get('ostype') || null,
    addresses: networks.flatMap((network) =>
      [...network.matchAll(/(?:^|,)ip6?=([^,/]+)/g)].map(([, address = '']) => address),
    ),
    interfaces: networks.flatMap((network) => /(?:^|,)name=([^,]+)/.exec(network)?.[1] ?? []),
    name: keys.get('hostname') || null,
    lock: keys.get('lock') || null,
    template: keys.get('template') === '1',
    tags: (keys.get('tags') ?? '').split(/[;, ]+/).filter((tag) => tag !== ''),
  };
}

/** Parses the `pool:NAME:COMMENT:VMIDS:STORAGES:` lines of /etc/pve/user.cfg: pools by VMID. A guest is in at most one pool. */
export function parsePools(text: string): Map<number, string> {
  const pools = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [kind, pool = '', , vmids = ''] = line.split(':');
    if (kind !== 'pool') continue;
    for (const vmid of vmids.split(',')) if (/^\d+$/.test(vmid)) pools.set(Number(vmid), pool);
  }
  return pools;
}

/**
 * Parses the guest lines of /etc/pve/.rrd, to which every node publishes the state of its guests every ten seconds:
 * `pve-vm-9.0/ID:uptime:name:status:template:ctime:cpus:cpu:maxmem:mem:maxdisk:disk:…` (`pve2.3-vm/ID` on PVE 8). U means
 * unknown.
 * @param nowS the time of the node on which it was read
 */
export function parseRrd(
  text: string,
  nowS: number | null = null,
): Map<number, { running: boolean | null; usage: Usage }> {
  const guests = new Map<number, { running: boolean | null; usage: Usage }>();
  for (const line of text.replaceAll('\0', '').split('\n')) {
    const match = /^(?:pve-vm-[\d.]+|pve[\d.]+-vm)\/(\d+):(.*)$/.exec(line);
    if (!match) continue;
    const fields = (match[2] ?? '').split(':');
    const number = (i: number) =>
      /^\d+(\.\d+)?(e[-+]?\d+)?$/i.test(fields[i] ?? '') ? Number(fields[i]) : null;
    const status = fields[2];
    guests.set(Number(match[1]), {
      running: status === 'running' ? true : status === 'stopped' ? false : null,
      usage: {
        age_s: nowS === null || number(4) === null ? null : Math.max(0, nowS - (number(4) ?? nowS)),
        uptime_s: number(0),
        cpus: number(5),
        cpu: number(6),
        memory_max_bytes: number(7),
        memory_bytes: number(8),
        disk_max_bytes: number(9),
        disk_bytes: number(10),
      },
    });
  }
  return guests;
}

/**
 * Parses `pct list` by column, because the lock is often blank: `%-10s %-10s %-12s %-20s`. The lock `snapshot-delete` is wider
 * than its column and shifts the name, but never VMID and status.
 */
export function parsePctList(text: string, node: string): ContainerSummary[] {
  const list: ContainerSummary[] = [];
  for (const line of text.split('\n').slice(1)) {
    const vmid = /^(\d+) /.exec(line)?.[1];
    if (vmid === undefined) continue;
    const status = line.slice(11, 21).trim();
    const [, lock = '', name = ''] = /^(\S*)\s+(.*)$/.exec(line.slice(22)) ?? [];
    list.push({
      vmid: Number(vmid),
      status: status === 'running' || status === 'stopped' ? status : 'unknown',
      frozen: false,
      name: name.trim() || `CT${vmid}`,
      lock: lock === '' ? null : lock,
      node,
      local: true,
      template: false,
      tags: [],
      pool: null,
    });
  }
  return list;
}
