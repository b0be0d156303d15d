import type { DirectoryInode } from '../files/inode.ts';
import { memoryOf } from '../guest/proc-files.ts';
import { bootedAtMs } from '../kernel/clock.ts';
import { configKey } from './config-text.ts';
import { lrmStatus, managerStatus } from './ha-resources.ts';
import type { SimulatedNode } from './node.ts';
import { PveEntries } from './pve-directory.ts';

/** /etc/pve as this node shows it, and /proc/net/unix. @returns the directory that is mounted at /etc/pve */
export function installClusterFiles(node: SimulatedNode): DirectoryInode {
  const { files, cluster, name } = node;
  files.makeDirectories('/etc/pve');
  const directory = { ...cluster.directory, entries: new PveEntries(cluster.directory.entries) };
  files.mount('/etc/pve', directory);
  files.symlink(`nodes/${name}`, '/etc/pve/local');
  files.symlink(`nodes/${name}/lxc`, '/etc/pve/lxc');
  files.symlink(`nodes/${name}/qemu-server`, '/etc/pve/qemu-server');
  files.generate('/etc/pve/.vmlist', () => vmlist(node), 0o440);
  files.generate('/etc/pve/.members', () => members(node), 0o440);
  files.generate('/etc/pve/.version', () => version(node), 0o440);
  files.generate('/etc/pve/.rrd', () => rrd(node), 0o440);
  files.generate('/proc/net/unix', () => unixSockets(node));
  cluster.generate(`/nodes/${name}/lrm_status`, () => lrmStatus(node));
  if (cluster.read('/ha/manager_status') === undefined) {
    cluster.generate('/ha/manager_status', () => managerStatus(cluster));
  }
  return directory;
}

function vmlist({ cluster, files }: SimulatedNode): string {
  const ids = cluster.guests(files.directory('/etc/pve')).map(({ vmid, node, type }, index) => {
    return `"${vmid}": { "node": "${node}", "type": "${type}", "version": ${index + 2} }`;
  });
  if (ids.length === 0) return `{"version": ${cluster.version}}`;
  return `{\n"version": ${cluster.version},\n"ids": {\n${ids.join(',\n')}}\n\n}\n`;
}

function members(node: SimulatedNode): string {
  const { cluster, name } = node;
  if (cluster.scenario.cluster === undefined) return `{\n"nodename": "${name}",\n"version": 0\n}\n`;
  const list = cluster.nodes.map((each, index) => {
    const online = node.sees(each) ? 1 : 0;
    const ip = cluster.network.addressOf(each.name) ?? '127.0.0.1';
    return `  "${each.name}": { "id": ${index + 1}, "online": ${online}, "ip": "${ip}"}`;
  });
  return `{\n"nodename": "${name}",\n"version": ${list.length + 2},\n"cluster": { "name": "${cluster.scenario.cluster}", "version": ${list.length}, "nodes": ${list.length}, "quorate": ${node.quorate ? 1 : 0} },\n"nodelist": {\n${list.join(',\n')}\n  }\n}\n`;
}

function version({ cluster }: SimulatedNode): string {
  return `{\n"starttime": ${Math.floor(bootedAtMs / 1000)},\n"clinfo": ${cluster.version},\n"vmlist": ${cluster.version}\n}\n`;
}

/** The metrics that every node publishes about itself and its guests, ending in a NUL. */
function rrd(viewer: SimulatedNode): string {
  const now = Math.floor(Date.now() / 1000);
  const lines: string[] = [];
  const { cluster } = viewer;
  for (const node of cluster.nodes) {
    if (!viewer.sees(node)) continue;
    const { memory, cores } = node.scenario;
    lines.push(
      `pve-node-9.0/${node.name}:86400:0:${now}:0.31:${cores}:0.04:0.01:${memory}:${Math.round(memory * 0.42)}:0:0:0:0:0:0`,
    );
    for (const guest of node.guests.values()) {
      const config = cluster.readConfig(node.name, guest.vmid) ?? '';
      const disk = guest.diskUse;
      const used = memoryOf(guest);
      const uptime = guest.running ? Math.floor((Date.now() - guest.bootedAt.getTime()) / 1000) : 0;
      const state = guest.running ? 'running' : 'stopped';
      const template = configKey(config, 'template') === '1' ? 1 : 0;
      lines.push(
        `pve-vm-9.0/${guest.vmid}:${uptime}:${configKey(config, 'hostname') ?? guest.hostname}:${state}:${template}:${now}:${guest.scenario.cores}:${guest.running ? '0.012' : '0'}:${used.total}:${used.used}:${disk.total}:${guest.running ? disk.used : 0}:${guest.running ? '18234:9120:0:0' : '0:0:0:0'}`,
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
