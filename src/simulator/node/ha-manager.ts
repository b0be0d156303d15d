import type { Call, Program } from '../programs/program.ts';
import { haResources } from './ha-resources.ts';
import type { SimulatedNode } from './node.ts';

/** `ha-manager status`; other commands are not simulated. */
export function haManager(node: SimulatedNode): Program {
  return (call) => status(node, call);
}

async function status(node: SimulatedNode, call: Call): Promise<number> {
  const { cluster, quorate } = node;
  await call.print(`quorum ${quorate ? 'OK' : 'No quorum!'}\n`);
  const resources = haResources(cluster).filter(({ state }) => state !== 'ignored');
  if (resources.length === 0) return 0;
  const date = new Date().toUTCString();
  await call.print(`master ${cluster.nodes[0]?.name ?? ''} (active, ${date})\n`);
  for (const { name, online } of cluster.nodes) {
    await call.print(`lrm ${name} (${online ? 'active' : 'old timestamp - dead?'}, ${date})\n`);
  }
  for (const { vmid } of resources) {
    const state = cluster.guest(vmid)?.running === true ? 'started' : 'stopped';
    await call.print(`service ct:${vmid} (${cluster.ownerOf(vmid) ?? ''}, ${state})\n`);
  }
  return 0;
}
