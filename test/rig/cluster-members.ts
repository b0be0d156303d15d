import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a node sees of the others. */
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

/** Writes .vmlist and .version anew after a change below nodes/. @param pve the shared directory */
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

/** Writes a file so that no reader sees half of it. */
export function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o640 });
  renameSync(`${file}.new`, file);
}
