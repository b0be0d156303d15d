import { AppError, messageOf } from '../../lib/errors.ts';
import type { ActivePrecondition } from '../../remote/precondition.ts';
import type { RemoteShell, ScriptOutput } from '../../remote/remote-shell.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import type { ContainerStatus, ContainerSummary, Usage } from '../proxmox-types.ts';
import type { NetworkTables } from './container-networks.ts';
import { forbidden, notProxmox, pmxcfsDown, unreadable } from './inventory-errors.ts';
import {
  type ConfigDetails,
  type GuestEntry,
  type Members,
  parseConfigLines,
  parseMembers,
  parsePools,
  parseRrd,
  parseRunning,
  parseVmlist,
} from './parse-inventory.ts';

/** For the whole inventory. Thousands of containers on a node under load take seconds. */
const READ_LIMIT_MS = 10_000;
/** pmxcfs answers in milliseconds, or never if it hangs. */
const SILENCE_LIMIT_MS = 2_000;

/** The containers of the cluster according to the files of the node. */
export interface Inventory extends Members {
  readonly containers: readonly ContainerSummary[];
  /** All guests of the cluster, virtual machines included. */
  readonly guests: ReadonlyMap<number, GuestEntry>;
  readonly usage: ReadonlyMap<number, Usage>;
  /** Empty unless asked for. */
  readonly details: ReadonlyMap<number, ConfigDetails>;
  /** Of the running containers of the node; empty unless details were asked for. */
  readonly tables: NetworkTables;
  /** Whether the requested container is frozen. */
  readonly frozen: boolean;
  /** What a later read of the same node can reuse. */
  readonly reusable: ReusableFiles;
}

/** Parsed files, with the text or the version that shows whether they have changed. */
interface ReusableFiles {
  readonly vmlist: string;
  /** Empty: unknown. */
  readonly version: string;
  readonly withDetails: boolean;
  readonly configs: ReturnType<typeof parseConfigLines>;
}

/** Keys of configurations that inventory.sh reads for details. */
const DETAIL_KEYS = '|ostype|net[0-9]+';

interface ReadOptions {
  /** Also check whether this container is frozen. */
  readonly vmid?: number;
  /** Also read operating system and addresses, and the networks of the running containers. */
  readonly details?: boolean | undefined;
  /** Time limit for reading the files. */
  readonly limitMs?: number;
  readonly precondition?: ActivePrecondition | null;
  /** An inventory that was read from the same node. Thousands of configurations that have not changed are not read again. */
  readonly before?: Inventory | undefined;
}

/**
 * Reads the inventory in one round trip. Retries once if the connection is lost, because reading changes nothing.
 * @throws AppError if the node cannot be reached, its cluster file system cannot be read, or the precondition fails
 */
export async function readInventory(
  shell: RemoteShell,
  signal: AbortSignal,
  { vmid, details = false, limitMs = READ_LIMIT_MS, precondition, before }: ReadOptions = {},
): Promise<Inventory> {
  const known = before?.reusable.withDetails === details ? before : undefined;
  const args = [
    vmid === undefined ? '' : String(vmid),
    details ? DETAIL_KEYS : '',
    known?.reusable.version ?? '',
  ];
  const output = await twice(() =>
    shell.script(details ? SCRIPTS.inventoryWithNetworks : SCRIPTS.inventory, args, {
      timeoutMs: limitMs,
      silenceMs: SILENCE_LIMIT_MS,
      signal,
      priority: 'work',
      precondition,
      readsPmxcfs: true,
    }),
  );
  const items = new Set(output.items.map(([key]) => key));
  if (items.has('missing')) throw notProxmox();
  if (!items.has('end')) throw unreadable(output, limitMs, SILENCE_LIMIT_MS);
  if (items.has('forbidden')) throw forbidden();
  return assemble(output, { vmid, details, known });
}

/** Retries once if the connection is lost. For operations that change nothing. */
async function twice(read: () => Promise<ScriptOutput>): Promise<ScriptOutput> {
  try {
    const output = await read();
    if (output.ended !== 'disconnected') return output;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'DISCONNECTED') throw error;
  }
  return read();
}

function assemble(
  { sections, items }: ScriptOutput,
  { vmid, details: withDetails, known }: Asked,
): Inventory {
  const files = splitByPath(sections.get('pve') ?? '');
  const members = files.get('.members');
  const vmlist = files.get('.vmlist');
  if (members === undefined || vmlist === undefined) throw pmxcfsDown();
  let guests: ReadonlyMap<number, GuestEntry>;
  let found: Members;
  try {
    guests = known?.reusable.vmlist === vmlist ? known.guests : parseVmlist(vmlist);
    found = parseMembers(members);
  } catch (error) {
    throw new AppError(
      'PMXCFS_UNAVAILABLE',
      `The list of guests in the cluster file system is invalid (${messageOf(error).slice(0, 120)}).`,
      'Check /etc/pve/.vmlist and /etc/pve/.members on the node, and run `systemctl status pve-cluster` there.',
    );
  }
  const running = parseRunning(sections.get('unix') ?? '');
  const version = items.find(([key]) => key === 'version')?.[1] ?? '';
  const unchanged = version !== '' && known?.reusable.version === version;
  const configs = unchanged ? known.reusable.configs : parseConfigLines(sections.get('conf') ?? '');
  const pools = parsePools(files.get('user.cfg') ?? '');
  const now = Number(items.find(([key]) => key === 'now')?.[1]);
  const published = parseRrd(files.get('.rrd') ?? '', Number.isSafeInteger(now) ? now : null);
  const usage = new Map<number, Usage>();
  const details = new Map<number, ConfigDetails>();
  const containers: ContainerSummary[] = [];
  for (const guest of guests.values()) {
    if (guest.type !== 'lxc') continue;
    const local = guest.node === found.node;
    const config = configs.get(guest.vmid);
    const remote = published.get(guest.vmid);
    const remoteStatus =
      remote?.running === true ? 'running' : remote?.running === false ? 'stopped' : 'unknown';
    if (remote) usage.set(guest.vmid, remote.usage);
    if (config) details.set(guest.vmid, config);
    containers.push({
      vmid: guest.vmid,
      status: local ? (running.has(guest.vmid) ? 'running' : 'stopped') : remoteStatus,
      frozen: local && running.get(guest.vmid) === true,
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
  const reusable = { vmlist, version, withDetails, configs };
  const tables = tablesOf(sections);
  return { ...found, containers, guests, usage, details, tables, frozen, reusable };
}

/** What container-networks.sh has sent. */
export function tablesOf(sections: ScriptOutput['sections']): NetworkTables {
  return { first: sections.get('first') ?? '', networks: sections.get('networks') ?? '' };
}

interface Asked {
  readonly vmid: number | undefined;
  readonly details: boolean;
  readonly known: Inventory | undefined;
}

/** Splits the output of `grep -H`: file name, colon, line. None of these file names contains a colon. */
export function splitByPath(text: string): Map<string, string> {
  const files = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const path = line.slice(0, colon);
    const lines = files.get(path);
    if (lines === undefined) files.set(path, [line.slice(colon + 1)]);
    else lines.push(line.slice(colon + 1));
  }
  return new Map([...files].map(([path, lines]) => [path, `${lines.join('\n')}\n`]));
}

/**
 * Finds one container in the inventory.
 * @throws AppError CONTAINER_NOT_FOUND, or NOT_A_CONTAINER for a virtual machine.
 */
export function findContainer(inventory: Inventory, vmid: number): ContainerStatus {
  const summary = inventory.containers.find((container) => container.vmid === vmid);
  if (summary)
    return {
      ...summary,
      frozen: summary.frozen || inventory.frozen,
      usage: inventory.usage.get(vmid) ?? null,
    };
  const guest = inventory.guests.get(vmid);
  if (guest) {
    throw new AppError(
      'NOT_A_CONTAINER',
      `${vmid} is a virtual machine on node ${guest.node}, not a container.`,
      'Only LXC containers are supported. List them with proxmox_list_containers.',
    );
  }
  throw new AppError(
    'CONTAINER_NOT_FOUND',
    `Container ${vmid} does not exist in this cluster.`,
    'List the existing VMIDs with proxmox_list_containers.',
  );
}
