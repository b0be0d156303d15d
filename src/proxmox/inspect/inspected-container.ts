import type { AppError } from '../../lib/errors.ts';
import type { ActivePrecondition } from '../../remote/precondition.ts';
import { parseLogs, parseSystem } from './container-facts.ts';
import { type Checked, type ContainerReport, parseContainerReport } from './container-report.ts';
import { HANGS, parseDisk } from './disk-facts.ts';
import { notRunning, outOfTime } from './inspect-errors.ts';
import type { ContainerFacts, NotChecked, Section } from './inspect-types.ts';
import {
  parseMemory,
  parseNames,
  parseProcesses,
  parseStale,
  parseTopMemory,
  parseUptime,
} from './kernel-facts.ts';
import { parseNetwork } from './network-facts.ts';
import type { RawFacts } from './node-report.ts';
import { integer, oneLine } from './plain-text.ts';
import { parseServices } from './service-facts.ts';
import { parseUpdates } from './update-facts.ts';

/** Processes of a container that inspect-node.sh reads at most. */
const MOST_PROCESSES = 4096;
/** Lines of open files after which inspect-node.sh stops. */
const MOST_OPEN_FILES = 5000;

export interface ContainerRequest {
  readonly vmid: number;
  readonly precondition: ActivePrecondition | null;
  readonly sections: readonly Section[];
}

/**
 * The facts about one container from what the node script reports of it.
 * @param innerWord the word that begins the lines of the script in the container
 * @returns an error if nothing was read
 */
export function inspectedContainer(
  raw: RawFacts,
  { vmid, precondition, sections }: ContainerRequest,
  innerWord: string,
  options: { readonly diskUsage: boolean; readonly mostRows: number },
): ContainerFacts | AppError {
  const why = raw.word('refused');
  if (why !== undefined && precondition !== null) return precondition.refused(why);
  const [state = 'unknown', pid] = (raw.word('state') ?? '').split(' ');
  if (raw.word('skipped') !== undefined) return outOfTime(vmid);
  if (pid === undefined) return notRunning(vmid, state);
  const isFrozen = state === 'FROZEN' || state === 'FREEZING';
  const report = parseContainerReport(raw.text('container') ?? '', innerWord);
  const incomplete = isFrozen ? FROZEN : whyIncomplete(raw, report);
  const notChecked: NotChecked[] = [];
  const names = parseNames(raw.text('names') ?? '');
  /** The facts of a section if it was requested; undefined if they are unknown. */
  function take<Facts>(section: Section, read: () => Checked<Facts>): Facts | undefined {
    if (!sections.includes(section)) return undefined;
    const { facts, notChecked: reasons } = read();
    const isCutShort = FROM_CONTAINER.has(section) && !report.done.has(section);
    const cause = incomplete ?? 'It was not entered, because there was no time left.';
    // What the node searches on the disk has reasons of its own.
    const own = section === 'disk' ? reasons.filter((reason) => !isFrozen || reason !== HANGS) : [];
    const whole = isCutShort ? [cause, ...own] : reasons;
    notChecked.push(...whole.map((reason) => ({ section, reason })));
    return facts ?? undefined;
  }
  const system = take('system', () => ({
    facts: parseSystem(report.parts, parseUptime(raw.text('init') ?? '')),
    notChecked: [],
  }));
  const memory = take('memory', () => memoryOf(raw));
  const disk = take('disk', () => parseDisk(raw, report, names, options));
  const network = take('network', () => networkOf(raw, names));
  const services = take('services', () => parseServices(report, options.mostRows));
  const processes = take('processes', () => processesOf(raw, options.mostRows));
  const updates = take('updates', () => parseUpdates(report, outdatedOf(raw), options.mostRows));
  const logs = take('logs', () => parseLogs(report));
  return {
    vmid,
    state: isFrozen ? 'frozen' : 'running',
    incomplete,
    not_checked: notChecked,
    ...(system && { system }),
    ...(memory && { memory }),
    ...(disk && { disk }),
    ...(network && { network }),
    ...(services && { services }),
    ...(processes && { processes }),
    ...(updates && { updates }),
    ...(logs && { logs }),
  };
}

/** The sections that the script in the container reads; the node reads the others from the kernel. */
const FROM_CONTAINER: ReadonlySet<Section> = new Set(['system', 'disk', 'services', 'updates', 'logs']);

function memoryOf(raw: RawFacts): Checked<NonNullable<ContainerFacts['memory']>> {
  const used = parseMemory(raw.text('memory') ?? '');
  const facts = used === undefined ? null : { ...used, top_processes: parseTopMemory(raw.text('top') ?? '') };
  const reason = raw.hasEnded('memory') ? NO_CGROUP : NO_TIME;
  return { facts, notChecked: facts === null ? [reason] : [] };
}

function networkOf(
  raw: RawFacts,
  names: ReadonlyMap<number, string>,
): Checked<NonNullable<ContainerFacts['network']>> {
  const sockets = raw.text('sockets') ?? '';
  if (!raw.hasEnded('network')) return { facts: null, notChecked: [NO_TIME] };
  const areOwnersUnknown =
    !raw.isComplete('sockets') || hasMoreProcesses(raw) || sockets.split('\n').length > MOST_OPEN_FILES;
  const { facts, notChecked } = parseNetwork(raw.text('network') ?? '', sockets, names);
  return {
    facts,
    notChecked: [
      ...notChecked,
      ...(raw.isComplete('network') ? [] : ['Not all of its ports were read.']),
      ...(areOwnersUnknown ? ['The processes of some ports are unknown.'] : []),
    ],
  };
}

function processesOf(raw: RawFacts, most: number): Checked<NonNullable<ContainerFacts['processes']>> {
  const after = raw.text('after');
  if (after === undefined || !raw.hasEnded('after')) return { facts: null, notChecked: [NO_TIME] };
  const texts = { names: raw.text('names') ?? '', commands: raw.text('commands') ?? '' };
  const facts = parseProcesses(raw.text('before') ?? '', after, texts, most);
  if (facts.count === 0) return { facts: null, notChecked: [NO_CGROUP] };
  const isPart = hasMoreProcesses(raw) || !raw.isComplete('after') || !raw.isComplete('before');
  const reason = `Only the first ${Math.min(MOST_PROCESSES, facts.count)} of its processes were compared.`;
  return {
    facts: isPart ? { ...facts, count: integer(raw.word('pids')) ?? facts.count } : facts,
    notChecked: isPart ? [reason] : [],
  };
}

function hasMoreProcesses(raw: RawFacts): boolean {
  return (integer(raw.word('pids')) ?? 0) > MOST_PROCESSES;
}

/** null if not all processes could be compared with the files. */
function outdatedOf(raw: RawFacts): readonly string[] | null {
  // xargs exits with 123 if grep found nothing in some processes.
  const isComplete = raw.isComplete('stale') && /^(?:0|1|123)$/.test(raw.word('stale-code') ?? '');
  return isComplete && !hasMoreProcesses(raw) ? parseStale(raw.text('stale') ?? '') : null;
}

const FROZEN = 'It is frozen: nothing runs in it, so only what the node and its kernel know was read.';
const NO_CGROUP = 'The node did not find its cgroup.';
const NO_TIME = 'The node did not read it within its time limit.';

function whyIncomplete(raw: RawFacts, { began, ended, before, missing }: ContainerReport): string | null {
  if (missing.length > 0) return `It has no ${missing.join(', ')}, without which nothing in it is read.`;
  if (ended || raw.text('container') === undefined) return null;
  if (began && raw.word('code') === '0') return 'Its output was cut at 256 KB.';
  if (began) return 'It did not answer in time; what it had answered by then is shown.';
  const message = oneLine(before.split('\n').at(-1) ?? '', 200);
  if (/Failed to exec|No such file/.test(message)) return 'It has no /bin/sh.';
  return raw.word('code') === '124' || raw.word('code') === '137' || message === ''
    ? 'It did not answer in time.'
    : `It could not be entered: ${message}`;
}
