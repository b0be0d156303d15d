import { parseTables } from '../inspect/network-facts.ts';

const MOST_ADDRESSES = 20;

/** The answer of container-networks.sh of one node. */
export interface NetworkTables {
  /** The cgroup of the first process of each container, as `grep -H` prints it. */
  readonly first: string;
  /** The tables of these processes, as `grep -H` prints them. */
  readonly networks: string;
}

/** The interfaces and addresses of a running container, without prefix length; null: the interface is unknown. */
export interface LiveAddress {
  readonly address: string;
  readonly device: string | null;
}

/** The addresses of the running containers of a node by VMID, without loopback and link-local ones. */
export function parseContainerNetworks({ first, networks }: NetworkTables): Map<number, LiveAddress[]> {
  const lines = new Map<string, string[]>();
  for (const line of networks.split('\n')) {
    const [, pid] = /^\/proc\/(\d+)\/net\//.exec(line) ?? [];
    if (pid === undefined) continue;
    const known = lines.get(pid);
    if (known === undefined) lines.set(pid, [line]);
    else known.push(line);
  }
  const found = new Map<number, LiveAddress[]>();
  // The container names the groups below its own, so only the first one counts.
  for (const [, pid = '', vmid] of first.matchAll(
    /^\/proc\/(\d+)\/cgroup:\d+:[^:\n]*:\/lxc\/(\d+)(?:\/.*)?$/gm,
  )) {
    const { facts } = parseTables((lines.get(pid) ?? []).join('\n'), '', new Map());
    const addresses = facts.addresses.map((text) => {
      const [, address = text, device = null] = /^([^/]+)\/\d+ (.+)$/.exec(text) ?? [];
      return { address, device };
    });
    found.set(Number(vmid), addresses);
  }
  return found;
}

/**
 * The addresses to show for a container: those of the interfaces that its configuration names, such as `eth0`, not those of
 * bridges inside of it. All of them if none of its addresses is on such an interface.
 */
export function addressesOn(live: readonly LiveAddress[], interfaces: readonly string[]): readonly string[] {
  const configured = live.filter(({ device }) => device !== null && interfaces.includes(device));
  const shown = configured.length > 0 ? configured : live;
  return shown.slice(0, MOST_ADDRESSES).map(({ address }) => address);
}
