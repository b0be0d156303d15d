import { AppError, messageOf } from '../../lib/errors.ts';
import { disconnected } from '../../remote/errors.ts';
import type { ActivePrecondition } from '../../remote/precondition.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import type { RemoteShell, ScriptOutput } from '../../remote/shell.ts';
import type { ContainerStatus, ContainerSummary, Usage } from '../proxmox-types.ts';
import {
  type GuestEntry,
  parseConfigLines,
  parseMembers,
  parsePools,
  parseRrd,
  parseUnixSockets,
  parseVmlist,
} from './parse-inventory.ts';

/** pmxcfs answers in milliseconds, or, when it hangs, never. */
const READ_LIMIT_MS = 10_000;

/** The cluster's containers as the node's files show them at one moment. */
export interface Inventory {
  /** The node that we are logged in to. */
  readonly node: string;
  readonly containers: readonly ContainerSummary[];
  /** All guests of the cluster, virtual machines included. */
  readonly guests: ReadonlyMap<number, GuestEntry>;
  readonly usage: ReadonlyMap<number, Usage>;
  /** The container that was asked about is frozen. */
  readonly frozen: boolean;
}

interface ReadOptions {
  /** Asks as well whether this container is frozen. */
  readonly vmid?: number;
  /** How long the files may take to be read. */
  readonly limitMs?: number;
  readonly precondition?: ActivePrecondition | null;
}

/**
 * Reads the inventory in one round trip; once more if the connection is lost, as reading changes nothing.
 * @throws AppError when the node cannot be reached, its cluster file system cannot be read, or the precondition does not hold
 */
export async function readInventory(
  shell: RemoteShell,
  signal: AbortSignal,
  { vmid, limitMs = READ_LIMIT_MS, precondition }: ReadOptions = {},
): Promise<Inventory> {
  const args = [vmid === undefined ? '' : String(vmid)];
  const output = await twice(() =>
    shell.script(SCRIPTS.inventory, args, {
      timeoutMs: limitMs,
      signal,
      priority: 'work',
      precondition,
      readsPmxcfs: true,
    }),
  );
  const items = new Set(output.items.map(([key]) => key));
  if (items.has('missing')) throw notProxmox();
  if (!items.has('end')) throw unreadable(output, limitMs);
  if (items.has('forbidden')) throw forbidden();
  return assemble(output.sections, vmid);
}

/** Once more if the connection is lost: for what changes nothing. */
async function twice(read: () => Promise<ScriptOutput>): Promise<ScriptOutput> {
  try {
    const output = await read();
    if (output.ended !== 'disconnected') return output;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'DISCONNECTED') throw error;
  }
  return read();
}

function assemble(sections: ReadonlyMap<string, string>, vmid: number | undefined): Inventory {
  const files = splitByPath(sections.get('pve') ?? '');
  const members = files.get('.members');
  const vmlist = files.get('.vmlist');
  if (members === undefined || vmlist === undefined) throw pmxcfsDown();
  let guests: Map<number, GuestEntry>;
  let self: string;
  try {
    guests = parseVmlist(vmlist);
    self = parseMembers(members).node;
  } catch (error) {
    throw new AppError(
      'PMXCFS_UNAVAILABLE',
      `The cluster file system's list of guests could not be understood (${messageOf(error).slice(0, 120)}).`,
      'Look at /etc/pve/.vmlist and /etc/pve/.members on the node, and at `systemctl status pve-cluster`.',
    );
  }
  const running = parseUnixSockets(sections.get('unix') ?? '');
  const configs = parseConfigLines(sections.get('conf') ?? '');
  const pools = parsePools(files.get('user.cfg') ?? '');
  const published = parseRrd(files.get('.rrd') ?? '');
  const usage = new Map<number, Usage>();
  const containers: ContainerSummary[] = [];
  for (const guest of guests.values()) {
    if (guest.type !== 'lxc') continue;
    const local = guest.node === self;
    const config = configs.get(guest.vmid);
    const remote = published.get(guest.vmid);
    const remoteStatus =
      remote?.running === true ? 'running' : remote?.running === false ? 'stopped' : 'unknown';
    if (remote) usage.set(guest.vmid, remote.usage);
    containers.push({
      vmid: guest.vmid,
      status: local ? (running.has(guest.vmid) ? 'running' : 'stopped') : remoteStatus,
      name: config?.name ?? `CT${guest.vmid}`,
      lock: config?.lock ?? null,
      node: guest.node,
      local,
      template: config?.template ?? false,
      tags: config?.tags ?? [],
      pool: pools.get(guest.vmid) ?? null,
    });
  }
  containers.sort((a, b) => a.vmid - b.vmid);
  const frozen = vmid !== undefined && running.has(vmid) && /\bFROZEN\b/.test(sections.get('frozen') ?? '');
  return { node: self, containers, guests, usage, frozen };
}

/** Undoes `grep -H`: file name, colon, line. None of these names has a colon. */
function splitByPath(text: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const path = line.slice(0, colon);
    files.set(path, `${files.get(path) ?? ''}${line.slice(colon + 1)}\n`);
  }
  return files;
}

/**
 * Finds one container in the inventory.
 * @throws AppError CONTAINER_NOT_FOUND, or NOT_A_CONTAINER for a virtual machine.
 */
export function findContainer(inventory: Inventory, vmid: number): ContainerStatus {
  const summary = inventory.containers.find((container) => container.vmid === vmid);
  if (summary) return { ...summary, frozen: inventory.frozen, usage: inventory.usage.get(vmid) ?? null };
  const guest = inventory.guests.get(vmid);
  if (guest) {
    throw new AppError(
      'NOT_A_CONTAINER',
      `${vmid} is a virtual machine on node ${guest.node}, not a container.`,
      'These tools work on LXC containers only; proxmox_list_containers shows them.',
    );
  }
  throw new AppError(
    'CONTAINER_NOT_FOUND',
    `There is no container ${vmid} in this cluster.`,
    'Call proxmox_list_containers for the VMIDs that exist.',
  );
}

function notProxmox(): AppError {
  return new AppError(
    'NOT_A_PROXMOX_NODE',
    'The server that answered has no /etc/pve, so it is not a Proxmox VE node.',
    'Check HOST: it must name a Proxmox VE node itself, not a container or another server.',
  );
}

function forbidden(): AppError {
  return new AppError(
    'PERMISSION_DENIED',
    'The user that this server logs in as may not read the cluster file system /etc/pve: that takes root.',
    'Set SUDO=true and allow the user /bin/sh by sudo with NOPASSWD, or log in as root.',
  );
}

function pmxcfsDown(): AppError {
  return new AppError(
    'PMXCFS_UNAVAILABLE',
    'The cluster file system /etc/pve does not list its guests: pve-cluster (pmxcfs) does not run.',
    'Run `systemctl status pve-cluster` on the node. Commands inside running containers still work where the policy asks for none of their attributes (POLICY=open).',
  );
}

function unreadable(output: ScriptOutput, limitMs: number): AppError {
  if (output.ended === 'disconnected') return disconnected('reading the list of containers');
  if (output.ended === 'cancelled') {
    return new AppError('CANCELLED', 'The call was cancelled.', 'Nothing was changed.');
  }
  if (output.ended === 'timeout') {
    return new AppError(
      'PMXCFS_UNAVAILABLE',
      `The node's cluster file system /etc/pve did not answer within ${limitMs / 1000} s; pmxcfs seems to hang.`,
      'Run `systemctl status pve-cluster corosync` on the node. Commands inside running containers still work where the policy asks for none of their attributes (POLICY=open).',
    );
  }
  return new AppError(
    'EXIT_UNKNOWN',
    'The script that reads the list of containers did not come to its end on the node.',
    'Call again; look at the load and the memory of the node.',
    { stderr: output.stderr },
  );
}
