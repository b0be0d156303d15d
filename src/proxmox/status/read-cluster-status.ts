import { AppError } from '../../lib/errors.ts';
import { firstOf } from '../../lib/waits.ts';
import type { RemoteShell, ScriptOutput } from '../../remote/remote-shell.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { splitByPath } from '../inventory/inventory.ts';
import { type GuestEntry, type Members, parseMembers, parseVmlist } from '../inventory/parse-inventory.ts';
import { NODE_LIMIT_MS, offline, silent } from '../inventory/run-states.ts';
import type { Nodes } from '../nodes/nodes.ts';
import {
  assertComplete,
  type HaStatus,
  type NodeState,
  parseHa,
  parseNodeState,
  parsePublishedStates,
  parseStorageTypes,
  parseStorageUse,
  type StorageUse,
} from './parse-status.ts';

const SCRIPT_LIMIT_MS = 10_000;
/** pmxcfs answers in milliseconds, or never if it hangs. */
const SILENCE_LIMIT_MS = 2_000;

export interface ClusterStatus extends Members {
  /** By name, in order: the state of a node, or why it is unknown. */
  readonly nodes: ReadonlyMap<string, NodeState | AppError>;
  readonly guests: readonly GuestEntry[];
  /** Whether a virtual machine runs, as its node publishes it. */
  readonly published: ReadonlyMap<number, boolean>;
  readonly storages: readonly StorageUse[];
  readonly storageTypes: ReadonlyMap<string, string>;
  /** null where HA manages nothing. */
  readonly ha: HaStatus | null;
}

/** What the entry node reports: its own state, and what the cluster publishes. */
export type EntryStatus = Omit<ClusterStatus, 'nodes'> & { readonly state: NodeState };

/** Reads the report of the entry node. @throws AppError if its cluster file system does not answer */
export async function readEntryStatus(shell: RemoteShell, signal: AbortSignal): Promise<EntryStatus> {
  const output = await shell.script(SCRIPTS.clusterStatus, ['cluster'], {
    timeoutMs: SCRIPT_LIMIT_MS,
    silenceMs: SILENCE_LIMIT_MS,
    signal,
    readsPmxcfs: true,
  });
  const files = filesOf(output);
  const rrd = files.get('.rrd') ?? '';
  const guests = parseVmlist(files.get('.vmlist') ?? '');
  return {
    ...parseMembers(files.get('.members') ?? ''),
    state: parseNodeState(output),
    guests: [...guests.values()],
    published: parsePublishedStates(rrd),
    storages: parseStorageUse(rrd),
    storageTypes: parseStorageTypes(files.get('storage.cfg') ?? ''),
    ha: parseHa(output.sections.get('resources') ?? '', output.sections.get('manager') ?? ''),
  };
}

/** Completes it with the reports of the other nodes, all at once; a node that does not answer adds three seconds at most. */
export async function completeStatus(
  { state, ...cluster }: EntryStatus,
  nodes: Nodes,
  signal: AbortSignal,
): Promise<ClusterStatus> {
  const states = await Promise.all(
    [...cluster.members.values()].map(async ({ name, online }): Promise<[string, NodeState | AppError]> => {
      if (name === cluster.node) return [name, state];
      return [name, online ? await askNode(name, nodes, signal) : offline(name)];
    }),
  );
  return { ...cluster, nodes: new Map(states.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

async function askNode(name: string, nodes: Nodes, signal: AbortSignal): Promise<NodeState | AppError> {
  const asked = nodes.use(name, async ({ shell }) => {
    const output = await shell.script(SCRIPTS.clusterStatus, [], { timeoutMs: SCRIPT_LIMIT_MS, signal });
    assertComplete(output);
    return parseNodeState(output);
  });
  try {
    const answer = await firstOf(asked, NODE_LIMIT_MS, signal);
    return typeof answer === 'string' ? silent(name, NODE_LIMIT_MS) : answer;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

/** @throws AppError if the script did not end, or the files are not those of a node */
function filesOf(output: ScriptOutput): ReadonlyMap<string, string> {
  const items = new Set(output.items.map(([key]) => key));
  if (output.ended === 'timeout' && output.responded) throw pmxcfs('did not answer within 2 s: pmxcfs hangs');
  if (!items.has('missing')) assertComplete(output);
  const files = splitByPath(output.sections.get('pve') ?? '');
  if (items.has('forbidden')) {
    throw new AppError(
      'PERMISSION_DENIED',
      'The SSH user has no permission to read the cluster file system /etc/pve, which requires root.',
      'Log in as root (SSH_USERNAME), or set SUDO=true and allow the SSH user to run /bin/sh with sudo and NOPASSWD.',
    );
  }
  if (!files.has('.members') || !files.has('.vmlist')) {
    throw pmxcfs('is not mounted, because pve-cluster (pmxcfs) is not running');
  }
  return files;
}

function pmxcfs(problem: string): AppError {
  return new AppError(
    'PMXCFS_UNAVAILABLE',
    `The cluster file system /etc/pve on the node ${problem}.`,
    'Tell the user to check `systemctl status pve-cluster corosync` on the node. Commands in running containers may still work.',
  );
}
