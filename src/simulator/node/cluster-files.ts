import type { Scenario } from '../scenario.ts';

/** /etc/pve/corosync.conf. */
export function corosyncConfig(
  cluster: string,
  nodes: readonly { readonly name: string; readonly address: string }[],
): string {
  const members = nodes.map(
    ({ name, address }, index) =>
      `  node {\n    name: ${name}\n    nodeid: ${index + 1}\n    quorum_votes: 1\n    ring0_addr: ${address}\n  }\n`,
  );
  return `logging {
  debug: off
  to_syslog: yes
}

nodelist {
${members.join('')}}

quorum {
  provider: corosync_votequorum
}

totem {
  cluster_name: ${cluster}
  config_version: ${nodes.length}
  interface {
    linknumber: 0
  }
  ip_version: ipv4-6
  link_mode: passive
  secauth: on
  version: 2
}
`;
}

/** /etc/pve/storage.cfg, with the storages of all nodes. */
export function storageConfig({ nodes }: Scenario): string {
  const storages = new Map(Object.values(nodes).flatMap((node) => Object.entries(node.storages)));
  return [...storages]
    .map(([name, { type, content }]) => `${type}: ${name}\n\tcontent ${content}\n`)
    .join('\n');
}
