import { randomBytes } from 'node:crypto';
import { AppError, messageOf } from '../../lib/errors.ts';
import { disconnected } from '../../remote/errors.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import type { NodeOutput, RemoteShell } from '../../remote/shell.ts';
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
import { listWithPct, notOnThisNode } from './pct-list.ts';

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
  /** Read from the files themselves. Otherwise containers of other nodes, tags, pools and locks may be missing. */
  readonly complete: boolean;
}

interface ReadOptions {
  /** Asks as well whether this container is frozen. */
  readonly vmid?: number;
  /** How long the files may take to be read. */
  readonly limitMs?: number;
}

/**
 * Reads the inventory, by pct where sudo rules allow nothing else.
 * @param options `about` names the container whose tags must not be missing
 * @throws AppError when the node can't be reached or its cluster file system can't be read.
 */
export async function readInventory(
  node: RemoteShell,
  signal: AbortSignal,
  options: ReadOptions & { readonly about?: number } = {},
): Promise<Inventory> {
  const inventory = await readFiles(node, signal, options);
  return inventory ?? listWithPct(node, signal, options.about ?? options.vmid);
}

/**
 * Reads the files in one round trip; once more if the connection is lost, as reading changes nothing.
 * @returns undefined where sudo rules do not allow that
 * @throws AppError when the node can't be reached or its cluster file system can't be read.
 */
export async function readFiles(
  node: RemoteShell,
  signal: AbortSignal,
  { vmid, limitMs = READ_LIMIT_MS }: ReadOptions = {},
): Promise<Inventory | undefined> {
  const nonce = randomBytes(8).toString('hex');
  const args = [nonce, vmid === undefined ? '' : String(vmid)];
  const output = await twice(() =>
    node.script(SCRIPTS.inventory, args, { timeoutMs: limitMs, signal, priority: 'work' }),
  );
  const sections = splitSections(output.stdout, nonce);
  if (sections.has('end')) return assemble(sections, vmid);
  if (sections.has('missing')) throw notProxmox();
  if (output.ended === 'exit' && /^sudo: /m.test(output.stderr)) return undefined;
  throw unreadable(output, limitMs);
}

/** Once more if the connection goes, before or after the command was sent: for what changes nothing. */
async function twice(read: () => Promise<NodeOutput>): Promise<NodeOutput> {
  try {
    const output = await read();
    if (output.ended !== 'disconnected') return output;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'DISCONNECTED') throw error;
  }
  return read();
}

function splitSections(stdout: string, nonce: string): Map<string, string> {
  const sections = new Map<string, string>();
  for (const part of stdout.split(`${nonce} `).slice(1)) {
    const lineEnd = part.indexOf('\n');
    sections.set(part.slice(0, lineEnd), part.slice(lineEnd + 1));
  }
  return sections;
}

function assemble(sections: ReadonlyMap<string, string>, vmid: number | undefined): Inventory {
  const files = splitByPath(sections.get('pve') ?? '');
  const members = files.get('.members');
  const vmlist = files.get('.vmlist');
  if (sections.has('forbidden')) throw forbidden();
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
  return { node: self, containers, guests, usage, frozen, complete: true };
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
  if (!inventory.complete) throw notOnThisNode(vmid, inventory.node);
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
    'Set SUDO=true and allow the user sh by sudo without a password, or log in as root.',
  );
}

function pmxcfsDown(): AppError {
  return new AppError(
    'PMXCFS_UNAVAILABLE',
    'The cluster file system /etc/pve does not list its guests: pve-cluster (pmxcfs) does not run.',
    'Run `systemctl status pve-cluster` on the node. Commands inside running containers still work where the policy asks for none of their attributes (POLICY=open).',
  );
}

function unreadable(output: NodeOutput, limitMs: number): AppError {
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
    'PERMISSION_DENIED',
    'The node refused to run the script that reads the list of containers.',
    'Log in as root, or set SUDO=true and allow the user `sudo -n`; its login shell must be a POSIX shell.',
    { stderr: output.stderr },
  );
}
