import { AppError } from '../../lib/errors.ts';
import { frozen } from '../../remote/frozen.ts';
import type { InFlightCalls } from '../../remote/in-flight.ts';
import { killRun, NORMAL_PACE } from '../../remote/kill-run.ts';
import type { ActivePrecondition } from '../../remote/precondition.ts';
import { disconnected } from '../../remote/remote-errors.ts';
import type { RemoteShell, ScriptOutput } from '../../remote/remote-shell.ts';
import type { Survivor } from '../../remote/remote-types.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import { MARK_VARIABLE, newRunId, type RunId } from '../../remote/session-requests.ts';
import {
  type ContainerReport,
  parseContainerReport,
  parseLogs,
  parseMounts,
  parseServices,
  parseSystem,
  parseUpdates,
} from './container-facts.ts';
import type { ContainerFacts, Inspection, Section } from './inspect-types.ts';
import {
  largestDirectories,
  parseDeleted,
  parseMemory,
  parseNames,
  parseProcesses,
  parseStale,
  parseUptime,
  parseUsage,
} from './kernel-facts.ts';
import { parseNetwork } from './network-facts.ts';
import { parseNodeReport, type RawFacts } from './node-report.ts';
import { oneLine } from './plain-text.ts';

/** How many containers are inspected at the same time. */
const AT_ONCE = 8;
/** Time limit of the script in a container, in seconds. */
const LIMIT_S = 10;
/** Package managers take longer: an apt of 60,000 packages on a slow disk needs several seconds. */
const UPDATES_LIMIT_S = 20;
/** After this time no further container is inspected. */
const LONGEST_S = 120;
/** Additional time for the script's work on the node for the last containers. */
const RESERVE_S = 40;

export interface InspectDeps {
  readonly shell: RemoteShell;
  readonly inFlight: InFlightCalls;
}

export interface InspectOptions {
  /** null: the entry node. */
  readonly node: string | null;
  readonly containers: readonly { readonly vmid: number; readonly precondition: ActivePrecondition | null }[];
  readonly sections: readonly Section[];
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
  for (const { vmid, precondition } of options.containers) {
    const raw = reports.get(vmid);
    const facts =
      raw === undefined ? notInspected(vmid, output) : factsOf(vmid, raw, precondition, run, options);
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

function scriptArguments(run: RunId, { containers, sections, diskUsage }: InspectOptions): readonly string[] {
  const words: string[] = [...sections, ...(diskUsage ? ['usage'] : [])];
  const limit = sections.includes('updates') ? UPDATES_LIMIT_S : LIMIT_S;
  return [
    `${MARK_VARIABLE}=${run.id}`,
    String(run.slackNs),
    words.join(' '),
    String(limit),
    String(LONGEST_S),
    String(AT_ONCE),
    SCRIPTS.inspectContainer,
    run.innerWord,
    ...containers.flatMap(({ vmid, precondition }) => {
      const fields = precondition?.fields() ?? [];
      return [String(vmid), String(fields.length), ...fields];
    }),
  ];
}

/** Whether the script in the container may still run. */
function mayHaveLeftProcesses(raw: RawFacts): boolean {
  const code = raw.word('code');
  return raw.isComplete('container')
    ? code !== '0'
    : code !== undefined || raw.text('container') !== undefined;
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

function factsOf(
  vmid: number,
  raw: RawFacts,
  precondition: ActivePrecondition | null,
  run: RunId,
  { sections, diskUsage, mostRows }: InspectOptions,
): ContainerFacts | AppError {
  const why = raw.word('refused');
  if (why !== undefined && precondition !== null) return precondition.refused(why);
  const [state = 'unknown', pid] = (raw.word('state') ?? '').split(' ');
  if (raw.word('skipped') !== undefined) return outOfTime(vmid);
  if (pid === undefined) return notRunning(vmid, state);
  const isFrozen = state === 'FROZEN' || state === 'FREEZING';
  const report = parseContainerReport(raw.text('container') ?? '', run.innerWord);
  const wants = (section: Section) => sections.includes(section);
  const names = parseNames(raw.text('names') ?? '');
  const told = report.began;
  const disk = diskOf(raw, report, names, { wants: wants('disk'), diskUsage, mostRows });
  const processes = raw.text('after');
  const logs = wants('logs') ? parseLogs(report.parts) : undefined;
  const memory = wants('memory') ? parseMemory(raw.text('memory') ?? '') : undefined;
  return {
    vmid,
    state: isFrozen ? 'frozen' : 'running',
    incomplete: isFrozen ? frozen({ kind: 'container', vmid }).message : whyIncomplete(raw, report),
    ...(wants('system') ? { system: parseSystem(report.parts, parseUptime(raw.text('init') ?? '')) } : {}),
    ...(memory === undefined ? {} : { memory }),
    ...(disk === undefined ? {} : { disk }),
    ...(raw.text('network') === undefined
      ? {}
      : { network: parseNetwork(raw.text('network') ?? '', raw.text('sockets') ?? '', names) }),
    ...(wants('services') && told ? { services: parseServices(report, mostRows) } : {}),
    ...(processes === undefined
      ? {}
      : {
          processes: parseProcesses(
            raw.text('before') ?? '',
            processes,
            { names: raw.text('names') ?? '', commands: raw.text('commands') ?? '' },
            mostRows,
          ),
        }),
    ...(wants('updates') && told
      ? { updates: parseUpdates(report, parseStale(raw.text('stale') ?? ''), mostRows) }
      : {}),
    ...(logs === undefined ? {} : { logs }),
  };
}

function diskOf(
  raw: RawFacts,
  { parts }: ContainerReport,
  names: ReadonlyMap<number, string>,
  { wants, diskUsage, mostRows }: { wants: boolean; diskUsage: boolean; mostRows: number },
): ContainerFacts['disk'] {
  if (!wants) return undefined;
  const mounts = parseMounts(parts, Math.max(10, mostRows));
  if (!diskUsage) return { mounts };
  const directories = parseUsage(raw.text('directories') ?? '');
  const folders = new Set(directories.map(({ path }) => path));
  const files = parseUsage(raw.text('files') ?? '').filter(({ path }) => !folders.has(path));
  return {
    mounts,
    largest_directories: largestDirectories(directories, mostRows),
    // Without the complete list of directories, a directory could be taken for a file.
    largest_files: isSearched(raw, 'usage-c')
      ? files.sort((a, b) => b.bytes - a.bytes).slice(0, mostRows)
      : [],
    search_incomplete: !isSearched(raw, 'usage-c') || !isSearched(raw, 'usage-a'),
    deleted_open: parseDeleted(raw.text('deleted') ?? '', raw.text('sizes') ?? '', names, mostRows),
  };
}

/** du exits with 1 if a file disappeared during the scan, which does not matter. */
function isSearched(raw: RawFacts, word: string): boolean {
  return /^[01]$/.test(raw.word(word) ?? '');
}

function whyIncomplete(raw: RawFacts, { began, ended, before }: ContainerReport): string | null {
  if (ended || raw.text('container') === undefined) return null;
  if (began && raw.word('code') === '0') return 'Its output was cut at 64 KB.';
  if (began) return 'It did not answer in time; what it had answered by then is shown.';
  const message = oneLine(before.split('\n').at(-1) ?? '', 200);
  if (/Failed to exec|No such file/.test(message)) return 'It has no /bin/sh.';
  return raw.word('code') === '124' || raw.word('code') === '137' || message === ''
    ? 'It did not answer in time.'
    : `It could not be entered: ${message}`;
}

function notRunning(vmid: number, state: string): AppError {
  if (state === 'STOPPED') {
    return new AppError(
      'CONTAINER_NOT_RUNNING',
      `Container ${vmid} is stopped.`,
      'Start it with proxmox_start_container.',
    );
  }
  return new AppError(
    'ATTACH_FAILED',
    `The state of container ${vmid} could not be read with lxc-info.`,
    'Check the container with proxmox_container_status.',
  );
}

function notInspected(vmid: number, { ended, stderr }: ScriptOutput): AppError {
  if (ended === 'timeout') return outOfTime(vmid);
  return new AppError(
    'EXIT_UNKNOWN',
    `The script that inspects containers did not report on container ${vmid}.`,
    'Call again. If it fails again, check the load and the free memory of the node.',
    stderr === '' ? {} : { stderr },
  );
}

function outOfTime(vmid: number): AppError {
  return new AppError(
    'TIMEOUT',
    `There was no time left to inspect container ${vmid}.`,
    'Call again with fewer containers or fewer sections.',
  );
}

function cancelled(survivors: readonly Survivor[] | null): AppError {
  const left = survivors?.length === 0 ? '' : ' Processes of the inspection may still be running.';
  return new AppError(
    'CANCELLED',
    `The call was cancelled. It changed nothing.${left}`,
    'Call again if the result is still needed.',
  );
}
