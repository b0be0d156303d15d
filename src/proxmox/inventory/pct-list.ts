import { AppError } from '../../lib/errors.ts';
import { disconnected } from '../../remote/errors.ts';
import type { ContainerAttributes } from '../../remote/remote-types.ts';
import type { NodeOutput, RemoteShell } from '../../remote/shell.ts';
import { pctFailed } from '../pct-errors.ts';
import type { ContainerSummary } from '../proxmox-types.ts';
import type { Inventory } from './inventory.ts';
import { type ContainerConfig, parsePctConfig, parsePctList } from './parse-inventory.ts';

/** pct itself waits 10.7 s for a lock; loading it takes one more. */
const PCT_LIMIT_MS = 20_000;

/**
 * The containers of this node, where sudo rules allow nothing but pct: slower, and tags are told of one container only.
 * @param about the container whose tags are asked for as well
 */
export async function listWithPct(
  node: RemoteShell,
  signal: AbortSignal,
  about: number | undefined,
): Promise<Inventory> {
  const [list, self, config] = await Promise.all([
    pct(node, ['list'], signal),
    nodeName(node),
    about === undefined ? null : configOf(node, about, signal),
  ]);
  const containers = parsePctList(list, self).map((summary) =>
    config !== null && summary.vmid === about ? withConfig(summary, config) : summary,
  );
  const guests = new Map(
    containers.map(({ vmid, node: on }) => [vmid, { vmid, node: on, type: 'lxc' as const }]),
  );
  return { node: self, containers, guests, usage: new Map(), frozen: false, complete: false };
}

/**
 * What pct tells of one container: all but the pool.
 * @throws AppError CONTAINER_NOT_FOUND when it does not live on this node; PERMISSION_DENIED, PMXCFS_UNAVAILABLE, DISCONNECTED
 */
export async function factsFromPct(
  node: RemoteShell,
  vmid: number,
  signal: AbortSignal,
): Promise<ContainerAttributes> {
  const [config, self] = await Promise.all([configOf(node, vmid, signal), nodeName(node)]);
  if (config === null) throw notOnThisNode(vmid, self);
  return { vmid, name: config.name ?? `CT${vmid}`, node: self, pool: undefined, tags: config.tags };
}

export function notOnThisNode(vmid: number, node: string): AppError {
  return new AppError(
    'CONTAINER_NOT_FOUND',
    `There is no container ${vmid} on node ${node}, and sudo there allows no look at the other nodes of the cluster.`,
    'Call proxmox_list_containers for the VMIDs that exist.',
  );
}

/** null: there is no such container on this node. Values as they are, not as a restart would make them. */
async function configOf(
  node: RemoteShell,
  vmid: number,
  signal: AbortSignal,
): Promise<ContainerConfig | null> {
  try {
    return parsePctConfig(await pct(node, ['config', String(vmid), '--current', '1'], signal));
  } catch (error) {
    if (error instanceof AppError && error.code === 'CONTAINER_NOT_FOUND') return null;
    throw error;
  }
}

/** As Proxmox VE names it: the host name without its domain. */
async function nodeName(node: RemoteShell): Promise<string> {
  return (await node.ask(['uname', '-n'])).replace(/\..*$/s, '');
}

async function pct(
  node: RemoteShell,
  [verb = '', ...args]: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const options = { timeoutMs: PCT_LIMIT_MS, signal, priority: 'work' } as const;
  const output = await node.command(['pct', verb, ...args], options);
  if (output.ended !== 'exit') throw unfinished(output.ended, verb);
  if (output.code !== 0) throw pctFailed(verb, output);
  return output.stdout;
}

function unfinished(ended: Exclude<NodeOutput['ended'], 'exit'>, verb: string): AppError {
  switch (ended) {
    case 'disconnected':
      return disconnected(`\`pct ${verb}\` was asked about the containers`);
    case 'cancelled':
      return new AppError('CANCELLED', 'The call was cancelled.', 'Nothing was changed.');
    case 'timeout':
      return new AppError(
        'PMXCFS_UNAVAILABLE',
        `\`pct ${verb}\` did not answer within ${PCT_LIMIT_MS / 1000} s; the node's cluster file system seems to hang.`,
        'Run `systemctl status pve-cluster corosync` on the node. Commands inside running containers still work where the policy asks for none of their attributes (POLICY=open).',
      );
  }
}

function withConfig(summary: ContainerSummary, config: ContainerConfig): ContainerSummary {
  const { lock, template, tags } = config;
  return { ...summary, name: config.name ?? `CT${summary.vmid}`, lock, template, tags };
}
