import type { Call } from '../programs/program.ts';
import { configKeys } from './config-text.ts';
import type { SimulatedNode } from './node.ts';
import { statusOf } from './pct-queries.ts';

type Json = string | number | boolean | null | undefined | Json[] | { [key: string]: Json };

/** `pvesh get PATH` for the commonly used paths; all others do not exist. */
export async function pvesh(node: SimulatedNode, call: Call): Promise<number> {
  const [verb = '', path = '', ...rest] = call.args;
  if (call.process.uid !== 0 || node.pmxcfs === 'down') {
    await call.warn(
      'ipcc_send_rec[1] failed: Connection refused\nUnable to load access control list: Connection refused\n',
    );
    return 111;
  }
  const value =
    verb === 'get' || verb === 'ls' ? get(node, path.replace(/^\/|\/$/g, '').split('/')) : undefined;
  if (value === undefined) {
    await call.warn(`No '${verb}' handler defined for '${path}'\n`);
    return 255;
  }
  const json = rest.some((arg) => /^--?output-format(=|$)/.test(arg)) && rest.some((arg) => /json/.test(arg));
  const pretty = rest.some((arg) => /json-pretty/.test(arg));
  await call.print(json ? `${JSON.stringify(value, null, pretty ? 3 : 0)}\n` : table(value));
  return 0;
}

function get(node: SimulatedNode, path: readonly string[]): Json {
  const { cluster } = node;
  const [top, second, third, vmid, ...tail] = path;
  if (top === 'version') return versionOf(node);
  if (top === 'nodes' && second === undefined) return cluster.nodes.map(nodeOf);
  if (top === 'cluster' && second === 'resources') return resources(node);
  if (top === 'cluster' && second === 'status') return clusterStatus(node);
  if (top === 'cluster' && (second === 'tasks' || second === 'backup')) return [];
  if (top === 'storage')
    return Object.entries(node.scenario.storages).map(([storage, each]) => ({
      storage,
      type: each.type,
      content: each.content,
    }));
  if (top !== 'nodes') return undefined;
  const named = cluster.nodes.find(({ name }) => name === second || second === 'localhost');
  if (!named) return undefined;
  if (third === 'status') return { ...nodeOf(named), pveversion: `pve-manager/${named.scenario.version}` };
  if (third === 'version') return versionOf(named);
  if (third === 'storage') return storages(named);
  if (third === 'tasks') return [];
  if (third !== 'lxc')
    return third === undefined
      ? ['lxc', 'qemu', 'status', 'storage', 'tasks', 'version'].map((name) => ({ name }))
      : undefined;
  if (vmid === undefined) return containersOf(named);
  return container(named, Number(vmid), tail);
}

function container(node: SimulatedNode, vmid: number, tail: readonly string[]): Json {
  const text = node.cluster.readConfig(node.name, vmid);
  if (text === undefined) return undefined;
  if (tail[0] === 'status') return statusOf(node, vmid);
  if (tail[0] === 'config') return Object.fromEntries(configKeys(text));
  return ['config', 'status'].map((subdir) => ({ subdir }));
}

function versionOf({ scenario }: SimulatedNode): Json {
  return {
    release: scenario.version.replace(/\.\d+$/, ''),
    repoid: '8c3a1f6e9d2b4a70',
    version: scenario.version,
  };
}

function nodeOf(node: SimulatedNode): { [key: string]: Json } {
  const { memory, cores } = node.scenario;
  return {
    id: `node/${node.name}`,
    node: node.name,
    type: 'node',
    status: node.online ? 'online' : 'offline',
    uptime: 86_400,
    maxcpu: cores,
    cpu: 0.04,
    maxmem: memory,
    mem: Math.round(memory * 0.42),
  };
}

function containersOf(node: SimulatedNode): { [key: string]: Json }[] {
  return [...node.guests.keys()].map((vmid) => ({ ...statusOf(node, vmid) }));
}

function resources({ cluster }: SimulatedNode): Json {
  return cluster.nodes.flatMap((node) => [
    ...containersOf(node).map((each) => ({ ...each, id: `lxc/${String(each.vmid)}`, node: node.name })),
    ...Object.entries(node.scenario.machines).map(([vmid, { name }]) => ({
      id: `qemu/${vmid}`,
      type: 'qemu',
      vmid: Number(vmid),
      name,
      node: node.name,
      status: 'running',
    })),
    nodeOf(node),
    ...storages(node).map((each) => ({
      ...each,
      id: `storage/${node.name}/${String(each.storage)}`,
      type: 'storage',
      node: node.name,
    })),
  ]);
}

function storages(node: SimulatedNode): { [key: string]: Json }[] {
  return Object.entries(node.scenario.storages).map(([storage, { total, used, type, content }]) => ({
    storage,
    plugintype: type,
    content,
    total,
    used,
    avail: total - used,
    active: 1,
    enabled: 1,
  }));
}

function clusterStatus({ cluster, name }: SimulatedNode): Json {
  const nodes = cluster.nodes.map((each, index) => ({
    id: `node/${each.name}`,
    type: 'node',
    name: each.name,
    nodeid: index + 1,
    online: each.online ? 1 : 0,
    local: each.name === name ? 1 : 0,
    ip: '127.0.0.1',
  }));
  if (cluster.scenario.cluster === undefined) return nodes;
  const own = {
    id: 'cluster',
    type: 'cluster',
    name: cluster.scenario.cluster,
    quorate: cluster.quorate ? 1 : 0,
    nodes: nodes.length,
  };
  return [own, ...nodes];
}

/** Plain columns instead of the box drawing of pvesh. */
function table(value: Json): string {
  const rows = Array.isArray(value) ? value : [value];
  const flat = rows.map((row) =>
    typeof row === 'object' && row !== null && !Array.isArray(row) ? row : { value: row },
  );
  const keys = [...new Set(flat.flatMap((row) => Object.keys(row)))];
  const cells = [keys, ...flat.map((row) => keys.map((key) => String(row[key] ?? '')))];
  const widths = keys.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
