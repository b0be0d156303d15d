import {
  type Checked,
  type ContainerReport,
  failureOf,
  isCut,
  lines,
  type ReportPart,
} from './container-report.ts';
import type { ContainerFacts } from './inspect-types.ts';
import { integer, oneLine } from './plain-text.ts';

type Updates = NonNullable<ContainerFacts['updates']>;

/** The pending updates as a package manager prints them. */
interface Pending {
  readonly packages: readonly string[];
  /** null: the package manager does not report it. */
  readonly security: number | null;
}

/** A package manager: how its output is read, and which exit codes mean success. */
interface PackageManager {
  readonly name: Exclude<Updates['manager'], 'none'>;
  readonly command: string;
  readonly success: readonly number[];
  read(text: string): Pending;
}

const MANAGERS: readonly PackageManager[] = [
  { name: 'apt', command: 'apt-get', success: [0], read: readApt },
  { name: 'apk', command: 'apk', success: [0], read: readApk },
  // 100: there are updates.
  { name: 'dnf', command: 'dnf', success: [0, 100], read: readDnf },
  { name: 'zypper', command: 'zypper', success: [0], read: readZypper },
  // 1: there are none.
  { name: 'pacman', command: 'pacman', success: [0, 1], read: readPacman },
];

/** The exit code of the script for a package manager that it could not run without writing a log. */
const NO_PRIVATE_LOG = 97;

/**
 * The pending updates that the lists in the container know. Without a reliable answer of the package manager they are null, not 0.
 * @param outdated processes that use replaced files; null if unknown
 */
export function parseUpdates(
  { parts, done }: ContainerReport,
  outdated: readonly string[] | null,
  most: number,
): Checked<Updates> {
  const manager = MANAGERS.find(({ name }) => parts.has(name));
  const part = manager === undefined ? undefined : parts.get(manager.name);
  const shown = (names: readonly string[]) => names.slice(0, most).map((name) => oneLine(name, 80));
  const unknown = {
    manager: manager?.name ?? 'none',
    pending: null,
    security: null,
    packages: [],
    lists_time: null,
    restart_required: manager?.name === 'apt' ? parts.has('restart') : null,
    outdated_processes: outdated === null ? null : shown(outdated),
  } as const;
  if (manager === undefined || part === undefined) {
    return { facts: done.has('updates') ? unknown : null, notChecked: [] };
  }
  const lists = (parts.get('lists')?.text ?? '').trim();
  if (lists === '') {
    const reason = `${manager.command} has no package lists in it, so that pending updates are unknown.`;
    return { facts: unknown, notChecked: [reason] };
  }
  const fetched = integer(lists);
  const lists_time = fetched === null || fetched > 1e11 ? null : new Date(fetched * 1000).toISOString();
  const problem = problemOf(part, manager);
  if (problem !== null && !isCut(part)) return { facts: { ...unknown, lists_time }, notChecked: [problem] };
  const { packages, security } = manager.read(part.text);
  const advisories = manager.name === 'dnf' ? parts.get('dnf-security') : undefined;
  const advisoryProblem = advisories === undefined ? null : problemOf(advisories, manager, [0]);
  return {
    facts: {
      ...unknown,
      lists_time,
      pending: packages.length,
      packages: shown(packages),
      security:
        advisories === undefined ? security : advisoryProblem === null ? securityOf(advisories) : null,
    },
    notChecked: [problem, advisoryProblem].filter((each) => each !== null),
  };
}

function problemOf(part: ReportPart, manager: PackageManager, success = manager.success): string | null {
  const { command } = manager;
  if (part.code === NO_PRIVATE_LOG) {
    return `${command} would write its log, and the container allows no private /var/log for it (unshare, mount).`;
  }
  // pacman has one exit code for errors and for no updates, and only warns of a missing list.
  const error =
    manager.name === 'pacman'
      ? lines(part.text).find((line) => /^error:|^warning: database file/.test(line))
      : undefined;
  return error === undefined
    ? failureOf(part, command, success)
    : `${command} failed: ${oneLine(error.replace(/^\w+: */, ''), 160)}`;
}

function readApt(text: string): Pending {
  const found = lines(text).flatMap((line) => {
    const match = /^Inst (\S+)(?: \[[^\]]*\])? \((\S+) (.*)$/.exec(line);
    return match === null ? [] : [{ name: `${match[1]} ${match[2]}`, origin: match[3] ?? '' }];
  });
  return {
    packages: unique(found.map(({ name }) => name)),
    security: found.filter(({ origin }) => /security/i.test(origin)).length,
  };
}

function readApk(text: string): Pending {
  return {
    packages: unique(lines(text).flatMap((line) => /^(\S+) +< +\S/.exec(line)?.[1] ?? [])),
    security: null,
  };
}

function readDnf(text: string): Pending {
  const packages: string[] = [];
  for (const line of lines(text)) {
    if (/^Obsoleting/.test(line)) break;
    const [, name, version] = /^(\S+\.\S+) +(\S*\d\S*) +\S+$/.exec(line) ?? [];
    if (name !== undefined) packages.push(`${name} ${version}`);
  }
  return { packages: unique(packages), security: null };
}

function securityOf({ text }: ReportPart): number {
  return lines(text).filter((line) => /\bSec\.|security/i.test(line)).length;
}

function readZypper(text: string): Pending {
  const packages = lines(text).flatMap((line) => {
    const [status, , name, , available] = line.split('|').map((cell) => cell.trim());
    return status === 'v' && name !== undefined ? [`${name} ${available ?? ''}`] : [];
  });
  return { packages: unique(packages), security: null };
}

function readPacman(text: string): Pending {
  const packages = lines(text).flatMap((line) => {
    const [, name, version] = /^(\S+) \S+ -> (\S+)/.exec(line) ?? [];
    return name === undefined ? [] : [`${name} ${version}`];
  });
  return { packages: unique(packages), security: null };
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
