import { AppError } from '../../lib/errors.ts';
import type { InFlightCalls } from '../../remote/in-flight.ts';
import { killRun, NORMAL_PACE } from '../../remote/kill-run.ts';
import { disconnected } from '../../remote/remote-errors.ts';
import type { RemoteShell } from '../../remote/remote-shell.ts';
import type { Survivor } from '../../remote/remote-types.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { MARK_VARIABLE, newRunId, type RunId } from '../../remote/session-requests.ts';
import { cancelled, notInspected } from './inspect-errors.ts';
import type { ContainerFacts, Inspection } from './inspect-types.ts';
import { type ContainerRequest, inspectedContainer } from './inspected-container.ts';
import { parseNodeReport, type RawFacts } from './node-report.ts';

/** How many containers are inspected at the same time. */
const AT_ONCE = 8;
/** Time limit of the script in a container, in seconds. */
const LIMIT_S = 10;
/** Package managers take longer: an apt of 60,000 packages on a slow disk needs several seconds. */
const UPDATES_LIMIT_S = 20;
/** After this time no further container is inspected. */
const LONGEST_S = 120;
/** Additional time for the last containers. inspect-node.sh leaves one behind 45 s after the limit of the script in it. */
const RESERVE_S = 75;

export interface InspectDeps {
  readonly shell: RemoteShell;
  readonly inFlight: InFlightCalls;
}

export interface InspectOptions {
  /** null: the entry node. */
  readonly node: string | null;
  readonly containers: readonly ContainerRequest[];
  readonly diskUsage: boolean;
  /** The most rows of each list, for each container. */
  readonly mostRows: number;
  readonly signal: AbortSignal;
}

/**
 * Reads facts about containers of one node in one round trip. Scripts that exceed their time limit are killed, and their facts
 * are reported as missing.
 * @throws AppError if the node cannot be reached, or the call is cancelled
 */
export async function inspectContainers(deps: InspectDeps, options: InspectOptions): Promise<Inspection> {
  const run = newRunId();
  const { shell } = deps;
  const signal = AbortSignal.any([options.signal, deps.inFlight.ending]);
  const askedAt = Date.now();
  const output = await shell.script(SCRIPTS.inspectNode, scriptArguments(run, options), {
    timeoutMs: (LONGEST_S + RESERVE_S) * 1000,
    signal,
    priority: 'work',
    readsPmxcfs: options.containers.some(({ precondition }) => precondition?.readsPmxcfs === true),
  });
  const answeredAt = Date.now();
  const reports = parseNodeReport(output);
  const items = new Map(output.items);
  const isUnclean = [...reports.values()].some((raw) => mayHaveLeftProcesses(raw));
  const survivors =
    output.ended !== 'exit' || isUnclean ? await killAll(shell, run, items.get('uptime')) : ([] as const);
  if (output.ended === 'cancelled') throw cancelled(survivors);
  if (output.ended === 'disconnected') throw disconnected('inspecting the containers');
  const containers: ContainerFacts[] = [];
  const failed: { vmid: number; error: AppError }[] = [];
  for (const container of options.containers) {
    const { vmid } = container;
    const raw = reports.get(vmid);
    const facts =
      raw === undefined
        ? notInspected(vmid, output)
        : inspectedContainer(raw, container, run.innerWord, options);
    if (facts instanceof AppError) failed.push({ vmid, error: facts });
    else containers.push(facts);
  }
  const time = Number(items.get('time') ?? Number.NaN);
  return {
    containers,
    failed,
    clocks: Number.isFinite(time)
      ? [{ node: options.node, time, skew: skewOf(time * 1000, askedAt, answeredAt) }]
      : [],
    survivors,
  };
}

function scriptArguments(run: RunId, { containers, diskUsage }: InspectOptions): readonly string[] {
  const withUpdates = containers.some(({ sections }) => sections.includes('updates'));
  const limit = withUpdates ? UPDATES_LIMIT_S : LIMIT_S;
  return [
    `${MARK_VARIABLE}=${run.id}`,
    String(run.slackNs),
    String(limit),
    String(LONGEST_S),
    String(AT_ONCE),
    SCRIPTS.inspectContainer,
    run.innerWord,
    ...containers.flatMap(({ vmid, precondition, sections }) => {
      const words = [...sections, ...(diskUsage ? ['usage'] : [])].join(' ');
      const fields = precondition?.fields() ?? [];
      return [String(vmid), words, String(fields.length), ...fields];
    }),
  ];
}

/** Whether the script in the container may still run, or programs of the node that read something of it. */
function mayHaveLeftProcesses(raw: RawFacts): boolean {
  const code = raw.word('code');
  if (raw.mayBeLeft) return true;
  return raw.hasEnded('container') ? code !== '0' : code !== undefined || raw.text('container') !== undefined;
}

async function killAll(
  shell: RemoteShell,
  run: RunId,
  uptime: string | undefined,
): Promise<readonly Survivor[] | null> {
  // Nothing was started before the script has printed the uptime.
  const since = uptime === undefined ? 0 : Math.floor(Number.parseFloat(uptime) * 100);
  return killRun(shell, run, Number.isFinite(since) ? since : 0, NORMAL_PACE);
}

/** Seconds that the node's clock is ahead; 0 if the time of the round trip explains the difference. */
function skewOf(nodeMs: number, askedAt: number, answeredAt: number): number {
  if (nodeMs + 1000 < askedAt) return Math.round((nodeMs + 500 - askedAt) / 1000);
  if (nodeMs > answeredAt) return Math.round((nodeMs - answeredAt) / 1000);
  return 0;
}
