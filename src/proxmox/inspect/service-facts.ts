import {
  type Checked,
  type ContainerReport,
  failureOf,
  isPartial,
  lines,
  type ReportPart,
} from './container-report.ts';
import type { ContainerFacts } from './inspect-types.ts';
import { integer, oneLine } from './plain-text.ts';

type Services = NonNullable<ContainerFacts['services']>;

/** The services of one service manager. */
interface Found {
  readonly failed: readonly string[];
  readonly restarting: readonly string[];
  /** Why services are unknown. */
  readonly notChecked: readonly string[];
  /** Nothing is known, so that the manager counts as absent. */
  readonly isUnknown: boolean;
}

/** Restarts since its start from which on a service counts as restarting. */
const LEAST_RESTARTS = 5;

/** The services that failed or restart, of each service manager that runs in the container. */
export function parseServices({ parts, done }: ContainerReport, most: number): Checked<Services> {
  const managers: readonly (readonly [Exclude<Services['manager'], 'none'>, Found | null])[] = [
    ['systemd', ofSystemd(parts.get('systemd-failed'), parts.get('systemd-restarts'))],
    ['OpenRC', ofOpenRc(parts.get('openrc'))],
    ['runit', ofRunit(parts.get('runit'))],
    ['s6', ofS6(parts.get('s6'))],
  ];
  const found = managers.flatMap(([manager, services]) =>
    services === null ? [] : [{ manager, ...services }],
  );
  const known = found.filter(({ isUnknown }) => !isUnknown);
  const [first] = known;
  const notChecked = found.flatMap((each) => each.notChecked);
  if (first === undefined) {
    // That none was found is known only if the script has looked for all of them.
    const none = found.length === 0 && done.has('services');
    return { facts: none ? { manager: 'none', failed: [], restarting: [] } : null, notChecked };
  }
  const bounded = (list: readonly string[]) => list.slice(0, most).map((each) => oneLine(each, 80));
  return {
    facts: {
      manager: first.manager,
      failed: bounded(known.flatMap(({ failed }) => failed)),
      restarting: bounded(known.flatMap(({ restarting }) => restarting)),
    },
    notChecked,
  };
}

function ofSystemd(failed: ReportPart | undefined, restarts: ReportPart | undefined): Found | null {
  if (failed === undefined) return null;
  const problem = failureOf(failed, 'systemctl');
  const restartProblem = restarts === undefined ? null : failureOf(restarts, 'systemctl show');
  if (problem !== null && !isPartial(failed)) return unknown(problem);
  return {
    failed: lines(failed.text).flatMap((line) => {
      // Old versions print a mark before the unit even with --plain.
      const [, unit] = /^[^\w/-]*([\w@.:\\/-]+\.[a-z]+)\s/.exec(line) ?? [];
      return unit === undefined ? [] : [unit];
    }),
    restarting: (restarts?.text ?? '').split(/\n\n+/).flatMap((block) => {
      const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(block)?.[1] ?? '';
      const count = integer(value('NRestarts')) ?? 0;
      const isWaiting = value('SubState') === 'auto-restart';
      return isWaiting || count >= LEAST_RESTARTS ? [`${value('Id')} (${count} restarts)`] : [];
    }),
    notChecked: [problem, restartProblem].filter((each) => each !== null),
    isUnknown: false,
  };
}

function ofOpenRc(part: ReportPart | undefined): Found | null {
  if (part === undefined) return null;
  const problem = failureOf(part, 'rc-status');
  if (problem !== null && !isPartial(part)) return unknown(problem);
  const failed = new Set<string>();
  const restarting = new Set<string>();
  let runlevel = '';
  for (const line of lines(part.text)) {
    runlevel = /^(?:Dynamic )?Runlevel: (\S+)/.exec(line)?.[1] ?? runlevel;
    const [, name, state, rest = ''] = /^ +(\S+) .*?\[ +([a-z]+)(.*)\]$/.exec(line) ?? [];
    if (name === undefined) continue;
    if (state === 'crashed' || state === 'failed') failed.add(name);
    // A service that does not start is reported as stopped.
    else if (state === 'stopped' && runlevel === 'default') failed.add(`${name} (stopped)`);
    // With supervise-daemon, the restarts are in parentheses.
    const restarts = integer(/\((\d+)\)/.exec(rest)?.[1]) ?? 0;
    if (restarts >= LEAST_RESTARTS) restarting.add(`${name} (${restarts} restarts)`);
  }
  const notChecked = problem === null ? [] : [problem];
  return { failed: [...failed], restarting: [...restarting], notChecked, isUnknown: false };
}

function ofRunit(part: ReportPart | undefined): Found | null {
  if (part === undefined) return null;
  const failed: string[] = [];
  const restarting: string[] = [];
  const unsupervised: string[] = [];
  for (const line of lines(part.text)) {
    const [, state, path = '', rest = ''] =
      /^(run|down|fail|warning|finish|timeout): ([^:]+):(.*)$/.exec(line) ?? [];
    const name = path.split('/').at(-1) ?? path;
    if (state === 'warning' || state === 'fail') unsupervised.push(name);
    else if (state === 'finish') failed.push(name);
    else if (state === 'down') failed.push(...downService(name, rest));
    else if (state === 'run' && isYoung(/\) (\d+)s/.exec(rest)?.[1]))
      restarting.push(`${name} (just started)`);
  }
  return ofSupervisor(part, { command: 'sv', failed, restarting, unsupervised });
}

function ofS6(part: ReportPart | undefined): Found | null {
  if (part === undefined) return null;
  const failed: string[] = [];
  const restarting: string[] = [];
  const unsupervised: string[] = [];
  for (const line of lines(part.text)) {
    const [, name = '', rest = ''] = /^([^:]+): (.*)$/.exec(line) ?? [];
    const state = /^(up|down) /.exec(rest)?.[1];
    if (state === undefined) unsupervised.push(name);
    else if (state === 'down') failed.push(...downService(name, rest));
    else if (state === 'up' && isYoung(/\) (\d+) seconds/.exec(rest)?.[1]))
      restarting.push(`${name} (just started)`);
  }
  return ofSupervisor(part, { command: 's6-svstat', failed, restarting, unsupervised });
}

function ofSupervisor(
  { text, code }: ReportPart,
  {
    command,
    failed,
    restarting,
    unsupervised,
  }: {
    readonly command: string;
    readonly failed: readonly string[];
    readonly restarting: readonly string[];
    readonly unsupervised: readonly string[];
  },
): Found {
  // The exit code only counts the services that cannot be read.
  if (code === null) return unknown(`${command} did not answer in time.`);
  if (unsupervised.length >= lines(text).length) return unknown(`${command} reports no supervised service.`);
  const names = unsupervised.map((name) => oneLine(name, 40)).slice(0, 10);
  return {
    failed,
    restarting,
    notChecked: names.length === 0 ? [] : [`${command} cannot read the state of ${names.join(', ')}.`],
    isUnknown: false,
  };
}

/** A service that is not up: as a failure if its supervisor tries to start it, as down if it was stopped or gave up. */
function downService(name: string, state: string): readonly string[] {
  if (/want up/.test(state)) return [name];
  return /normally up/.test(state) ? [`${name} (down)`] : [];
}

function unknown(reason: string): Found {
  return { failed: [], restarting: [], notChecked: [reason], isUnknown: true };
}

/** A supervisor restarts a service after a second, so one that fails at once is never older. */
function isYoung(seconds: string | undefined): boolean {
  return seconds !== undefined && Number(seconds) < 3;
}
