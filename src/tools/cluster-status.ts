import * as z from 'zod';
import { table } from '../lib/columns.ts';
import { formatDuration } from '../lib/duration.ts';
import { AppError } from '../lib/errors.ts';
import type { ClusterStatus, NodeState } from '../proxmox/proxmox-types.ts';
import { formatBytes } from './shared/format.ts';
import { defineTool } from './tool.ts';

const node = z.object({
  node: z.string(),
  online: z.boolean(),
  reason: z.string().optional(),
  version: z.string().nullable(),
  kernel: z.string().nullable(),
  uptime_s: z.number().nullable(),
  load: z.number().nullable(),
  cpus: z.number().nullable(),
  memory_bytes: z.number().nullable(),
  memory_used_bytes: z.number().nullable(),
  containers: z.number(),
  containers_running: z.number().nullable(),
  machines: z.number(),
  machines_running: z.number(),
});
const storage = z.object({
  storage: z.string(),
  type: z.string(),
  node: z.string(),
  total_bytes: z.number(),
  used_bytes: z.number(),
});
const output = z.object({
  cluster: z.string().nullable(),
  quorate: z.boolean(),
  nodes: z.array(node),
  storages: z.array(storage),
  ha: z.object({ master: z.string().nullable(), services: z.record(z.string(), z.string()) }).nullable(),
  degraded: z.array(z.string()),
});

export const clusterStatus = defineTool({
  name: 'proxmox_cluster_status',
  title: 'Status of the cluster',
  description:
    'Get the state of all nodes: quorum, versions, load, memory, guests, storage use, HA services, and what is degraded.',
  toolset: 'inspect',
  effect: 'read',
  input: z.strictObject({}),
  output,
  async run(_input, ctx) {
    const data = toData(await ctx.cluster.status(ctx.signal));
    return { data, text: statusText };
  },
});

type Data = z.output<typeof output>;
type NodeData = z.output<typeof node>;

/** Shares of used storage and memory above which a node counts as degraded. */
const FULL = 0.9;

function toData(status: ClusterStatus): Data {
  const nodes = [...status.nodes].map(([name, state]) => nodeData(status, name, state));
  const storages = status.storages.map(({ node: on, storage: name, total, used }) => ({
    storage: name,
    type: status.storageTypes.get(name) ?? '',
    node: on,
    total_bytes: total,
    used_bytes: used,
  }));
  const ha = status.ha && { master: status.ha.master, services: Object.fromEntries(status.ha.services) };
  const data = { cluster: status.cluster, quorate: status.quorate, nodes, storages, ha };
  return { ...data, degraded: degradedParts(data, status) };
}

function nodeData(status: ClusterStatus, name: string, state: NodeState | AppError): NodeData {
  const own = status.guests.filter((guest) => guest.node === name);
  const containers = own.filter(({ type }) => type === 'lxc');
  const machines = own.filter(({ type }) => type === 'qemu');
  const known = state instanceof AppError ? undefined : state;
  return {
    node: name,
    online: status.members.get(name)?.online ?? false,
    ...(state instanceof AppError ? { reason: state.message } : {}),
    version: known?.version ?? null,
    kernel: known?.kernel ?? null,
    uptime_s: known?.uptimeS ?? null,
    load: known?.load ?? null,
    cpus: known?.cpus ?? null,
    memory_bytes: known?.memory ?? null,
    memory_used_bytes: known?.memoryUsed ?? null,
    containers: containers.length,
    containers_running: known ? containers.filter(({ vmid }) => known.running.has(vmid)).length : null,
    machines: machines.length,
    machines_running: machines.filter(({ vmid }) => status.published.get(vmid) === true).length,
  };
}

function degradedParts(data: Omit<Data, 'degraded'>, { ha }: ClusterStatus): string[] {
  const found: string[] = [];
  if (!data.quorate) found.push('The cluster has no quorum: reads and commands work, changes fail.');
  for (const each of data.nodes) {
    if (each.reason !== undefined) found.push(each.reason);
    const { memory_bytes: total, memory_used_bytes: used } = each;
    if (total && used !== null && used / total > FULL) {
      found.push(`Memory of node ${each.node} is ${percent(used, total)} used.`);
    }
  }
  const versions = new Set(data.nodes.flatMap(({ version }) => version ?? []));
  if (versions.size > 1) found.push(`The nodes have different versions: ${[...versions].join(', ')}.`);
  for (const { storage: name, node: on, total_bytes: total, used_bytes: used } of data.storages) {
    if (total > 0 && used / total > FULL)
      found.push(`Storage ${name} on node ${on} is ${percent(used, total)} full.`);
  }
  for (const [name, state] of ha?.nodes ?? []) {
    if (state !== 'online') found.push(`HA: node ${name} is in state ${state}.`);
  }
  for (const [name, state] of ha?.services ?? []) {
    if (state === 'error' || state === 'fence' || state === 'recovery') {
      found.push(`HA: service ${name} is in state ${state}.`);
    }
  }
  return found;
}

function percent(used: number, total: number): string {
  return `${Math.round((100 * used) / total)} %`;
}

function statusText(data: Data): string {
  const name = data.cluster === null ? 'Standalone node' : `Cluster ${data.cluster}`;
  const nodes = data.nodes.map((each) => [
    each.node,
    each.online ? (each.reason === undefined ? 'online' : 'no answer') : 'offline',
    each.version ?? '-',
    each.uptime_s === null ? '-' : formatDuration(each.uptime_s * 1000),
    each.load === null ? '-' : `${each.load} of ${each.cpus ?? '?'}`,
    shareText(each.memory_used_bytes, each.memory_bytes),
    `${each.containers_running ?? '?'} of ${each.containers}`,
    `${each.machines_running} of ${each.machines}`,
  ]);
  const storages = data.storages.map((each) => [
    each.storage,
    each.type,
    each.node,
    shareText(each.used_bytes, each.total_bytes),
  ]);
  const services = Object.entries(data.ha?.services ?? {});
  const parts = [
    `${name}: ${data.quorate ? 'quorum' : 'NO QUORUM'}`,
    table([['NODE', 'STATE', 'VERSION', 'UPTIME', 'LOAD', 'MEMORY', 'CONTAINERS', 'VMS'], ...nodes]),
    ...(storages.length === 0 ? [] : [table([['STORAGE', 'TYPE', 'NODE', 'USED'], ...storages])]),
    ...(services.length === 0 ? [] : [table([['HA SERVICE', 'STATE'], ...services])]),
    data.degraded.length === 0
      ? 'Nothing is degraded.'
      : `Degraded:\n${data.degraded.map((each) => `- ${each}`).join('\n')}`,
  ];
  return parts.join('\n\n');
}

function shareText(used: number | null, total: number | null): string {
  if (used === null || total === null || total === 0) return '-';
  return `${formatBytes(used)} of ${formatBytes(total)} (${percent(used, total)})`;
}
