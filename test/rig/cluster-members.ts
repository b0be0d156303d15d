import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The other nodes as one node sees them. */
export interface View {
  readonly quorate: boolean;
  readonly offline: readonly string[];
}

/** .members of one node. @param addresses of all nodes, in their order */
export function membersText(node: string, addresses: ReadonlyMap<string, string>, view: View): string {
  const list = [...addresses].map(([name, ip], index) => {
    return `  "${name}": { "id": ${index + 1}, "online": ${view.offline.includes(name) ? 0 : 1}, "ip": "${ip}"}`;
  });
  const { size } = addresses;
  const cluster = `{ "name": "rig", "version": ${size}, "nodes": ${size}, "quorate": ${view.quorate ? 1 : 0} }`;
  return `{\n"nodename": "${node}",\n"version": 5,\n"cluster": ${cluster},\n"nodelist": {\n${list.join(',\n')}\n  }\n}\n`;
}

let version = 100;

/** Rewrites .vmlist and .version after a change below nodes/. @param pve the shared directory */
export function publishGuests(pve: string): void {
  version += 1;
  const entries = readdirSync(join(pve, 'nodes')).flatMap((node) =>
    readdirSync(join(pve, 'nodes', node, 'lxc')).flatMap((name) => {
      const vmid = /^(\d+)\.conf$/.exec(name)?.[1];
      return vmid === undefined
        ? []
        : [`"${vmid}": { "node": "${node}", "type": "lxc", "version": ${version} }`];
    }),
  );
  replaceFile(join(pve, '.vmlist'), `{\n"version": ${version},\n"ids": {\n${entries.join(',\n')}}\n\n}\n`);
  replaceFile(
    join(pve, '.version'),
    `{\n"starttime": 1700000000,\n"clinfo": 5,\n"vmlist": ${version},\n"corosync.conf": 1\n}\n`,
  );
}

/** Rewrites .rrd, as each node does every ten seconds. @param running whether a container runs */
export function publishUsage(pve: string, running: (vmid: number) => boolean): void {
  const now = Math.floor(Date.now() / 1000);
  const lines = readdirSync(join(pve, 'nodes')).flatMap((node) => [
    `pve-node-9.0/${node}:86400:0:${now}:0.31:4:0.04:0.01:8589934592:1073741824:0:0:0:0:0:0`,
    ...readdirSync(join(pve, 'nodes', node, 'lxc')).flatMap((name) => {
      const vmid = Number(/^(\d+)\.conf$/.exec(name)?.[1]);
      if (Number.isNaN(vmid)) return [];
      const use = running(vmid) ? '3600:ct:running:0' : '0:ct:stopped:0';
      return [`pve-vm-9.0/${vmid}:${use}:${now}:1:0.01:134217728:2097152:1073741824:1048576:0:0:0:0`];
    }),
  ]);
  // The real file ends in a NUL.
  replaceFile(join(pve, '.rrd'), `${lines.join('\n')}\n\0`);
}

/** Replaces a file atomically. */
export function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o640 });
  renameSync(`${file}.new`, file);
}
