import type { Cluster } from './cluster.ts';
import type { SimulatedNode } from './node.ts';

/** The entry of one container in resources.cfg. */
interface HaResource {
  readonly vmid: number;
  /** started, stopped, disabled, ignored. */
  readonly state: string;
}

/** The containers that HA manages. */
export function haResources(cluster: Cluster): HaResource[] {
  const text = cluster.read('/ha/resources.cfg') ?? '';
  return text.split(/\n(?=\S)/).flatMap((section) => {
    const vmid = /^ct:\s*(\d+)/.exec(section)?.[1];
    if (vmid === undefined) return [];
    const state = /^\s+state\s+(\S+)/m.exec(section)?.[1] ?? 'started';
    return [{ vmid: Number(vmid), state }];
  });
}

export function isHaManaged(cluster: Cluster, vmid: number): boolean {
  return haResources(cluster).some((each) => each.vmid === vmid && each.state !== 'ignored');
}

/** Stores the requested state and returns; the HA manager applies it later. */
export function requestHa(node: SimulatedNode, vmid: number, state: 'started' | 'stopped'): void {
  const { cluster } = node;
  setState(cluster, vmid, state);
  cluster.ha.pending.add(vmid);
  setTimeout(() => {
    cluster.ha.pending.delete(vmid);
    carryOut(cluster, vmid, state);
  }, cluster.scenario.times.ha).unref();
}

function carryOut(cluster: Cluster, vmid: number, state: 'started' | 'stopped'): void {
  const guest = cluster.guest(vmid);
  if (!guest || cluster.ha.errors.has(vmid)) return;
  if (state === 'stopped') {
    guest.halt();
    return;
  }
  const place = cluster.ha.placement.get(vmid);
  if (place !== undefined && !guest.running) cluster.moveGuest(vmid, place);
  guest.boot();
}

function setState(cluster: Cluster, vmid: number, state: string): void {
  const sections = (cluster.read('/ha/resources.cfg') ?? '').split(/\n(?=\S)/).map((section) => {
    if (!new RegExp(`^ct:\\s*${vmid}\\s*(\n|$)`).test(section)) return section;
    const lines = section
      .trimEnd()
      .split('\n')
      .filter((line) => !/^\s+state\s/.test(line));
    return `${[...lines, `\tstate ${state}`].join('\n')}\n`;
  });
  cluster.write('/ha/resources.cfg', sections.join('\n'));
}

/** The status that the HA manager publishes, as JSON. */
export function managerStatus(cluster: Cluster): string {
  const nodes = cluster.nodes.map(({ name, online }) => [name, online ? 'online' : 'unknown']);
  const services = haResources(cluster).flatMap(({ vmid, state }) => {
    const guest = cluster.guest(vmid);
    if (!guest || state === 'ignored') return [];
    const node = cluster.ownerOf(vmid) ?? '';
    const running = guest.running ? 'started' : 'stopped';
    const asked = state === 'started' ? 'request_start' : 'request_stop';
    const shown = cluster.ha.errors.has(vmid) ? 'error' : cluster.ha.pending.has(vmid) ? asked : running;
    return [[`ct:${vmid}`, { node, state: shown, uid: `uid${vmid}`, running: guest.running ? 1 : 0 }]];
  });
  return JSON.stringify({
    master_node: cluster.nodes.find(({ online }) => online)?.name ?? '',
    timestamp: Math.floor(Date.now() / 1000),
    node_status: Object.fromEntries(nodes),
    service_status: Object.fromEntries(services),
  });
}

/** The status that the HA agent of one node publishes, as JSON. */
export function lrmStatus(node: SimulatedNode): string {
  const active = haResources(node.cluster).some(({ vmid }) => node.guests.has(vmid));
  return JSON.stringify({
    mode: 'active',
    results: {},
    state: active ? 'active' : 'wait_for_agent_lock',
    timestamp: Math.floor(Date.now() / 1000),
  });
}
