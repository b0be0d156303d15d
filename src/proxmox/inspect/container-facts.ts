import type { ContainerFacts, Mount } from './inspect-types.ts';
import { integer, oneLine } from './plain-text.ts';

/** The report of the script in the container: its own claims. */
export interface ContainerReport {
  /** Whether the script started. */
  readonly began: boolean;
  readonly ended: boolean;
  /** Output before the script, from lxc-attach. */
  readonly before: string;
  readonly parts: ReadonlyMap<string, string>;
}

/** Splits the output of the container script at the lines that begin with its inner word. */
export function parseContainerReport(text: string, word: string): ContainerReport {
  const parts = new Map<string, string>();
  let before = '';
  let began = false;
  let ended = false;
  let part: string | undefined;
  for (const line of text.replace(/\n$/, '').split('\n')) {
    if (line === `${word} began`) began = true;
    else if (line === `${word} ended`) ended = true;
    else if (line.startsWith(`${word} part `)) {
      part = line.slice(word.length + 6);
      // Also if nothing follows: no updates are pending, for example.
      parts.set(part, parts.get(part) ?? '');
    } else if (!began) before += `${line}\n`;
    else if (part !== undefined) parts.set(part, `${parts.get(part) ?? ''}${line}\n`);
  }
  return { began, ended, before: before.trim(), parts };
}

export function parseSystem(
  parts: ContainerReport['parts'],
  uptime: number | null,
): NonNullable<ContainerFacts['system']> {
  const values = new Map<string, string>();
  for (const line of lines(parts.get('os'))) {
    const [, key = '', value = ''] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    values.set(key, value.replace(/^(["'])(.*)\1$/, '$2'));
  }
  const name =
    values.get('PRETTY_NAME') || [values.get('ID'), values.get('VERSION_ID')].filter(Boolean).join(' ');
  return {
    os: oneLine(name || 'unknown', 60),
    uptime_s: uptime,
    time_zone: oneLine(parts.get('zone') ?? '', 40),
  };
}

/** The mounts that df reports: those with a size, each file system once, under its shortest path. */
export function parseMounts(parts: ContainerReport['parts'], most: number): readonly Mount[] {
  const inodes = new Map<string, number | null>();
  for (const { path, percent } of dfLines(parts.get('inodes'))) inodes.set(path, percent);
  const mounts = new Map<string, Mount>();
  for (const { source, path, size, used, percent } of dfLines(parts.get('mounts'))) {
    if (size === 0 || percent === null || IGNORED.test(path)) continue;
    const key = `${source} ${size} ${used}`;
    const known = mounts.get(key);
    if (known !== undefined && source !== 'tmpfs' && known.path.length <= path.length) continue;
    mounts.set(source === 'tmpfs' ? `${key} ${path}` : key, {
      path: oneLine(path, 200),
      source: oneLine(source, 80),
      size_bytes: size * 1024,
      used_bytes: used * 1024,
      use_percent: percent,
      inodes_percent: inodes.get(path) ?? null,
    });
  }
  return [...mounts.values()].sort((a, b) => b.use_percent - a.use_percent).slice(0, most);
}

/** File systems of the kernel, and single files that LXC mounts over those of /proc and /dev. */
const IGNORED = /^\/(?:proc|sys|dev(?!\/shm(?:\/|$)))(?:\/|$)/;

function* dfLines(text: string | undefined) {
  for (const line of lines(text)) {
    // A source may contain blanks, and so may a path.
    const match = /^(.*?) +(\d+|-) +(\d+|-) +(-?\d+|-) +(\d{1,3})?[%-]? +(\/.*)$/.exec(line);
    if (match === null) continue;
    const [, source = '', size, used, , percent, path = ''] = match;
    yield { source, path, size: integer(size) ?? 0, used: integer(used) ?? 0, percent: integer(percent) };
  }
}

export function parseServices(
  { parts }: ContainerReport,
  most: number,
): NonNullable<ContainerFacts['services']> {
  const failed: string[] = [];
  const restarting: string[] = [];
  let manager: NonNullable<ContainerFacts['services']>['manager'] = 'none';
  if (parts.has('systemd-state')) {
    manager = 'systemd';
    // Without --plain of old versions, a mark precedes the unit.
    for (const line of lines(parts.get('systemd-failed'))) {
      const [, unit] = /^[^\w/-]*([\w@.:\\/-]+\.[a-z]+)\s/.exec(line) ?? [];
      if (unit !== undefined) failed.push(unit);
    }
    for (const block of (parts.get('systemd-restarts') ?? '').split(/(?=^Id=)/m)) {
      const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(block)?.[1] ?? '';
      const restarts = integer(value('NRestarts')) ?? 0;
      const isWaiting = value('SubState') === 'auto-restart';
      if (isWaiting || restarts >= 5) restarting.push(`${value('Id')} (${restarts} restarts)`);
    }
  }
  if (parts.has('openrc')) {
    manager = 'OpenRC';
    for (const line of lines(parts.get('openrc'))) {
      const [, name, state] = /^ *(\S+) +\[ *([a-z]+)/.exec(line) ?? [];
      if (name !== undefined && (state === 'crashed' || state === 'failed')) failed.push(name);
    }
  }
  if (parts.has('runit')) {
    if (manager === 'none') manager = 'runit';
    for (const line of lines(parts.get('runit'))) {
      const [, state, path = '', rest = ''] =
        /^(run|down|fail|warning|finish|timeout): ([^:]+):(.*)$/.exec(line) ?? [];
      const name = path.split('/').at(-1) ?? path;
      if (state === 'down' && /normally up/.test(rest)) failed.push(name);
      else if (state === 'fail' || state === 'finish') failed.push(name);
      else if (state === 'run' && isYoung(/\) (\d+)s/.exec(rest)?.[1]))
        restarting.push(`${name} (just started)`);
    }
  }
  if (parts.has('s6')) {
    if (manager === 'none') manager = 's6';
    for (const line of lines(parts.get('s6'))) {
      const [, name, state, rest = ''] = /^(\S+): (up|down)(.*)$/.exec(line) ?? [];
      if (name === undefined) continue;
      if (state === 'down' && /normally up|want up/.test(rest)) failed.push(name);
      else if (state === 'up' && isYoung(/\) (\d+) seconds/.exec(rest)?.[1]))
        restarting.push(`${name} (just started)`);
    }
  }
  const bounded = (list: readonly string[]) => list.slice(0, most).map((each) => oneLine(each, 80));
  return { manager, failed: bounded(failed), restarting: bounded(restarting) };
}

/** A supervisor restarts a service after a second, so one that fails at once is never older. */
function isYoung(seconds: string | undefined): boolean {
  return seconds !== undefined && Number(seconds) < 3;
}

export function parseUpdates(
  { parts }: ContainerReport,
  outdated: readonly string[],
  most: number,
): NonNullable<ContainerFacts['updates']> {
  const managers = ['apt', 'apk', 'dnf', 'zypper', 'pacman'] as const;
  const manager = managers.find((name) => parts.has(name)) ?? 'none';
  const text = parts.get(manager);
  const packages = new Set<string>();
  let security: number | null = null;
  if (manager === 'apt') {
    const found = lines(text).flatMap((line) => {
      const match = /^Inst (\S+)(?: \[[^\]]*\])? \((\S+) (.*)$/.exec(line);
      return match === null ? [] : [{ name: `${match[1]} ${match[2]}`, origin: match[3] ?? '' }];
    });
    for (const { name } of found) packages.add(name);
    security = found.filter(({ origin }) => /security/i.test(origin)).length;
  } else if (manager === 'apk') {
    for (const line of lines(text)) {
      const [, name] = /^(\S+) +< +\S/.exec(line) ?? [];
      if (name !== undefined) packages.add(name);
    }
  } else if (manager === 'dnf') {
    for (const line of lines(text)) {
      if (/^Obsoleting/.test(line)) break;
      const [, name, version] = /^(\S+\.\S+) +(\S*\d\S*) +\S+$/.exec(line) ?? [];
      if (name !== undefined) packages.add(`${name} ${version}`);
    }
    security = lines(parts.get('dnf-security')).filter((line) => /\bSec\.|security/i.test(line)).length;
  } else if (manager === 'zypper') {
    for (const line of lines(text)) {
      const [status, , name, , available] = line.split('|').map((cell) => cell.trim());
      if (status === 'v' && name !== undefined) packages.add(`${name} ${available ?? ''}`);
    }
  } else if (manager === 'pacman') {
    for (const line of lines(text)) {
      const [, name, version] = /^(\S+) \S+ -> (\S+)/.exec(line) ?? [];
      if (name !== undefined) packages.add(`${name} ${version}`);
    }
  }
  const fetched = integer(parts.get('lists')?.trim());
  return {
    manager,
    pending: manager === 'none' ? null : packages.size,
    security,
    packages: [...packages].slice(0, most).map((name) => oneLine(name, 80)),
    lists_time: fetched === null || fetched > 1e11 ? null : new Date(fetched * 1000).toISOString(),
    restart_required: parts.has('restart'),
    outdated_processes: outdated.slice(0, most),
  };
}

export function parseLogs(parts: ContainerReport['parts']): ContainerFacts['logs'] {
  for (const [name, text] of parts) {
    if (name !== 'journal' && !name.startsWith('file /var/log/')) continue;
    const source = name === 'journal' ? 'journal' : name.slice('file '.length);
    return {
      source: oneLine(source, 40),
      lines: lines(text)
        .map((line) => oneLine(line, 400))
        .slice(-20),
    };
  }
  return undefined;
}

function lines(text: string | undefined): readonly string[] {
  return (text ?? '').split('\n').filter((line) => line.trim() !== '');
}
