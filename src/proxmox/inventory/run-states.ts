import { AppError } from '../../lib/errors.ts';
import { firstOf } from '../../lib/waits.ts';
import type { RemoteShell } from '../../remote/remote-shell.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import type { Nodes } from '../nodes/nodes.ts';
import type { ContainerSummary } from '../proxmox-types.ts';
import type { NetworkTables } from './container-networks.ts';
import { type Inventory, tablesOf } from './inventory.ts';
import { parseRunning } from './parse-inventory.ts';

/** Time limit for the answer of a node, including the connection, in ms. */
export const NODE_LIMIT_MS = 2_800;
const SCRIPT_LIMIT_MS = 10_000;

/** The running containers of a node; true for those that are frozen. */
type Running = ReturnType<typeof parseRunning>;

/** What a node says about its running containers. */
interface Answer {
  readonly running: Running;
  /** Empty unless asked for. */
  readonly tables: NetworkTables;
}

/** The running containers, read from all nodes at the same time, because the published status is up to ten seconds old. */
export class RunStates {
  readonly #nodes: Nodes;
  /** Reads that a node has not answered yet. Later calls wait for the same read. */
  readonly #pending = new Map<string, Promise<Answer>>();

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  /**
   * The containers with the status that their nodes report; `unknown` if a node does not answer in time.
   * @param onTables gets what each node, the entry node included, says about the networks of its running containers;
   * if omitted, the other nodes do not read it
   */
  async complete(
    { node: self, members, containers, tables }: Inventory,
    signal: AbortSignal,
    onTables?: (node: string, tables: NetworkTables) => void,
  ): Promise<ContainerSummary[]> {
    const others = new Set(containers.map(({ node }) => node));
    others.delete(self);
    const states = new Map<string, Running | AppError>();
    onTables?.(self, tables);
    await Promise.all(
      [...others].map(async (node) => {
        const online = members.get(node)?.online !== false;
        const answer = online ? await this.#ask(node, onTables !== undefined, signal) : offline(node);
        states.set(node, answer instanceof AppError ? answer : answer.running);
        if (!(answer instanceof AppError)) onTables?.(node, answer.tables);
      }),
    );
    return containers.map((container) => withState(container, states.get(container.node)));
  }

  async #ask(node: string, networks: boolean, signal: AbortSignal): Promise<Answer | AppError> {
    const key = networks ? `${node} with networks` : node;
    const pending =
      this.#pending.get(key) ??
      this.#nodes
        .use(node, ({ shell }) => readRunning(shell, node, networks))
        .finally(() => this.#pending.delete(key));
    this.#pending.set(key, pending);
    try {
      const answer = await firstOf(pending, NODE_LIMIT_MS, signal);
      return typeof answer === 'string' ? silent(node, NODE_LIMIT_MS) : answer;
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  }
}

/** The container with the status that its node reports, or with the reason for the missing status. */
export function withState<T extends ContainerSummary>(
  container: T,
  state: Running | AppError | undefined,
): T {
  if (state === undefined) return container;
  if (!(state instanceof AppError)) {
    const frozen = state.get(container.vmid);
    return { ...container, status: frozen === undefined ? 'stopped' : 'running', frozen: frozen === true };
  }
  // A node that refuses the login is running, so its published status is recent.
  const published = state.code === 'SSH_UNREACHABLE' ? 'unknown' : container.status;
  return { ...container, status: published, reason: state.message };
}

/** @throws AppError SSH_UNREACHABLE if the node does not answer */
async function readRunning(shell: RemoteShell, node: string, networks: boolean): Promise<Answer> {
  const script = networks ? SCRIPTS.runningWithNetworks : SCRIPTS.running;
  const { items, sections } = await shell.script(script, [], { timeoutMs: SCRIPT_LIMIT_MS });
  if (items.some(([key]) => key === 'end'))
    return { running: parseRunning(sections.get('unix') ?? ''), tables: tablesOf(sections) };
  throw silent(node, SCRIPT_LIMIT_MS);
}

/** The node is connected, but sends nothing. */
export function silent(node: string, limitMs: number): AppError {
  return new AppError(
    'SSH_UNREACHABLE',
    `Node ${node} did not answer within ${limitMs / 1000} s.`,
    'Check the node and its network. Containers of other nodes still work.',
  );
}

/** The cluster reports the node as offline. */
export function offline(node: string): AppError {
  return new AppError(
    'SSH_UNREACHABLE',
    `The cluster reports that node ${node} is offline.`,
    `Check node ${node} and its network. Containers of other nodes still work.`,
  );
}
