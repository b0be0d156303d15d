import * as z from 'zod';
import { AppError } from '../../lib/errors.ts';
import type { RemoteShell } from '../../remote/remote-shell.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { parseVmlist } from '../inventory/parse-inventory.ts';

const LOOK_LIMIT_MS = 5_000;

/** The HA state of one container. */
export interface HaState {
  /** Whether it has an entry in resources.cfg that is not `ignored`; starts and stops are then requests to the HA manager. */
  readonly managed: boolean;
  /** The service state: started, stopped, error, …; null if unknown. */
  readonly service: string | null;
  /** The current node of the container. */
  readonly node: string | null;
  /** Nodes in maintenance mode. */
  readonly maintenance: readonly string[];
}

const ManagerStatus = z.object({
  node_status: z.record(z.string(), z.string()).optional(),
  service_status: z.record(z.string(), z.object({ state: z.string().optional() })).optional(),
});

/** Reads the HA state of a container. If it cannot be read, the container counts as not managed. */
export async function readHaState(shell: RemoteShell, vmid: number, signal: AbortSignal): Promise<HaState> {
  const { sections } = await shell.script(SCRIPTS.haState, [], {
    timeoutMs: LOOK_LIMIT_MS,
    signal,
    readsPmxcfs: true,
  });
  const text = (name: string) => sections.get(name) ?? '';
  return parseHaState(vmid, { resources: text('resources'), status: text('status'), vmlist: text('vmlist') });
}

/** Reads resources.cfg, manager_status and .vmlist. Pure. */
export function parseHaState(
  vmid: number,
  files: { readonly resources: string; readonly status: string; readonly vmlist: string },
): HaState {
  const status = json(files.status, ManagerStatus);
  const vmlist = json(files.vmlist, z.unknown());
  const nodes = Object.entries(status?.node_status ?? {});
  return {
    managed: isManaged(files.resources, vmid),
    service: status?.service_status?.[`ct:${vmid}`]?.state ?? null,
    node: vmlist === undefined ? null : (parseVmlist(files.vmlist).get(vmid)?.node ?? null),
    maintenance: nodes.flatMap(([node, state]) => (state === 'maintenance' ? [node] : [])),
  };
}

/** Sections begin with `TYPE: ID`, and their lines with a space. In old files, `vm: ID` means either type. */
function isManaged(resources: string, vmid: number): boolean {
  for (const section of resources.split(/\n(?=\S)/)) {
    const [head = '', ...lines] = section.split('\n');
    if (!new RegExp(`^ct:\\s*${vmid}\\s*$`).test(head)) continue;
    return !lines.some((line) => /^\s+state\s+ignored\s*$/.test(line));
  }
  return false;
}

function json<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text.replaceAll('\0', ''))).data;
  } catch {
    return undefined;
  }
}

/** The service is in state error, so the manager refuses all requests. */
export function haError(vmid: number): AppError {
  return new AppError(
    'PCT_FAILED',
    `Container ${vmid} is managed by HA and its service is in state error, so HA refuses all requests.`,
    `Find the cause in the task log. Then run \`ha-manager set ct:${vmid} --state disabled\` on a node, and \`ha-manager set ct:${vmid} --state started\` to start the container again.`,
  );
}

/** The manager has accepted the request but not finished it. */
export function haPending(vmid: number, verb: 'start' | 'stop', state: HaState): AppError {
  const maintenance =
    state.node !== null && state.maintenance.includes(state.node)
      ? ` Node ${state.node} is in maintenance mode. To end it, run \`ha-manager crm-command node-maintenance disable ${state.node}\` on a node.`
      : '';
  return new AppError(
    'TIMEOUT',
    `The request to ${verb} container ${vmid} was sent to HA, which has not finished it yet.`,
    `Check with proxmox_container_status in half a minute. \`ha-manager status\` on a node shows what HA is waiting for.${maintenance}`,
  );
}

/** HA has placed the container on a node that cannot be used, so the result of the request is not known. */
export function haUnseen(vmid: number, verb: 'start' | 'stop', node: string, why: AppError): AppError {
  return new AppError(
    'TIMEOUT',
    `The request to ${verb} container ${vmid} was sent to HA, which has moved it to node ${node}. ${why.message}`,
    `\`ha-manager status\` on a node shows the state of the container. To see it from here, make the login to node ${node} work.`,
    { cause: why },
  );
}
