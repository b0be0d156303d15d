import { diskOf, memoryOf } from '../guest/proc-files.ts';
import { configKeys } from './cluster.ts';
import type { SimulatedNode } from './node.ts';

/** Creates /etc/pve of this node, and /proc/net/unix. */
export function installClusterFiles(node: SimulatedNode): void {
  const { files, cluster, name } = node;
  files.makeDirectories('/etc/pve');
  files.mount('/etc/pve/nodes', cluster.directory);
  files.symlink(`nodes/${name}`, '/etc/pve/local');
  files.symlink(`nodes/${name}/lxc`, '/etc/pve/lxc');
  files.symlink(`nodes/${name}/qemu-server`, '/etc/pve/qemu-server');
  files.generate('/etc/pve/.vmlist', () => vmlist(node), 0o440);
  files.generate('/etc/pve/.members', () => members(node), 0o440);
  files.generate('/etc/pve/.version', () => version(node), 0o440);
  files.generate('/etc/pve/.rrd', () => rrd(node), 0o440);
  files.generate('/proc/net/unix', () => unixSockets(node));
  files.write('/etc/pve/storage.cfg', storageConfig(node), { mode: 0o640 });
}

function vmlist({ cluster }: SimulatedNode): string {
  const ids = cluster.guests().map(({ vmid, node, type }, index) => {
    return `"${vmid}": { "node": "${node}", "type": "${type}", "version": ${index + 2} }`;
  });
  if (ids.length === 0) return `{"version": ${cluster.version}}`;
  return `{\n"version": ${cluster.version},\n"ids": {\n${ids.join(',\n')}}\n\n}\n`;
}

function members({ cluster, name }: SimulatedNode): string {
  if (cluster.scenario.cluster === undefined) return `{\n"nodename": "${name}",\n"version": 0\n}\n`;
  const list = cluster.nodes.map(
    (each, index) =>
      `  "${each.name}": { "id": ${index + 1}, "online": ${each.online ? 1 : 0}, "ip": "127.0.0.1"}`,
  );
  return `{\n"nodename": "${name}",\n"version": ${cluster.version},\n"cluster": { "name": "${cluster.scenario.cluster}", "version": ${list.length}, "nodes": ${list.length}, "quorate": ${cluster.quorate ? 1 : 0} },\n"nodelist": {\n${list.join(',\n')}\n  }\n}\n`;
}

function version({ cluster }: SimulatedNode): string {
  return `{\n"starttime": ${Math.floor(Date.now() / 1000) - 86_400},\n"clinfo": ${cluster.version},\n"vmlist": ${cluster.version}\n}\n`;
}

/** The data that every node publishes about itself and its guests, terminated by a NUL. */
function rrd({ cluster }: SimulatedNode): string {
  const now = Math.floor(Date.now() / 1000);
  const lines: string[] = [];
  for (const node of cluster.nodes) {
    if (!node.online) continue;
    const { memory, cores } = node.scenario;
    lines.push(
      `pve-node-9.0/${node.name}:86400:0:${now}:0.31:${cores}:0.04:0.01:${memory}:${Math.round(memory * 0.42)}:0:0:0:0:0:0`,
    );
    for (const guest of node.guests.values()) {
      const config = configKeys(cluster.readConfig(node.name, guest.vmid) ?? '');
      const disk = diskOf(guest);
      const used = memoryOf(guest);
      const uptime = guest.running ? Math.floor((Date.now() - guest.bootedAt.getTime()) / 1000) : 0;
      const state = guest.running ? 'running' : 'stopped';
      const template = config.get('template') === '1' ? 1 : 0;
      lines.push(
        `pve-vm-9.0/${guest.vmid}:${uptime}:${config.get('hostname') ?? guest.hostname}:${state}:${template}:${now}:${guest.scenario.cores}:${guest.running ? '0.012' : '0'}:${used.total}:${used.used}:${disk.total}:${guest.running ? disk.used : 0}:${guest.running ? '18234:9120:0:0' : '0:0:0:0'}`,
      );
    }
    for (const [name, { total, used }] of Object.entries(node.scenario.storages)) {
      lines.push(`pve-storage-9.0/${node.name}/${name}:${now}:${total}:${used}`);
    }
  }
  return `${lines.join('\n')}\n\0`;
}

/** A container runs if and only if its command socket is in this list. */
function unixSockets({ guests }: SimulatedNode): string {
  const line = (inode: number, path: string) =>
    `0000000000000000: 00000002 00000000 00010000 0001 01 ${inode} ${path}\n`;
  const sockets = [...guests.values()]
    .filter(({ running }) => running)
    .map(({ vmid }) => line(30_000 + vmid, `@/var/lib/lxc/${vmid}/command`));
  return `Num       RefCount Protocol Flags    Type St Inode Path\n${line(17_000, '/run/systemd/journal/stdout')}${line(17_001, '/var/run/pve-cluster/pve2-cluster')}${sockets.join('')}`;
}

function storageConfig({ scenario }: SimulatedNode): string {
  return Object.entries(scenario.storages)
    .map(([name, { type, content }]) => `${type}: ${name}\n\tcontent ${content}\n`)
    .join('\n');
}
