import type { BusyProcess, ContainerFacts } from './inspect-types.ts';
import { integer, oneLine } from './plain-text.ts';

/** Clock ticks per second in /proc, on every Linux. */
const TICKS = 100;
const PAGE = 4096;
/** Values above this mean no limit: cgroup v1 reports the largest number of pages. */
const NO_LIMIT = 2 ** 60;

/** The memory of the container's cgroup without the page cache, as `pct status` reports it. */
export function parseMemory(text: string): ContainerFacts['memory'] {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, file = '', content = ''] = /^[^:]*\/([a-z_.]+):(.*)$/.exec(line) ?? [];
    const [first = '', second] = content.split(' ');
    values.set(second === undefined ? file : `${file} ${first}`, second ?? first);
  }
  const value = (...names: string[]) => {
    for (const name of names) {
      const number = values.get(name);
      if (number !== undefined) return integer(number) ?? (/^\d+$/.test(number) ? NO_LIMIT : null);
    }
    return null;
  };
  const all = value('memory.current', 'memory.usage_in_bytes');
  if (all === null) return undefined;
  const cache = value('memory.stat file', 'memory.stat total_cache') ?? 0;
  const limit = value('memory.max', 'memory.limit_in_bytes');
  return {
    used_bytes: Math.max(0, all - cache),
    limit_bytes: limit === null || limit >= NO_LIMIT ? null : limit,
    swap_bytes: value('memory.swap.current'),
    oom_kills: value('memory.events oom_kill', 'memory.oom_control oom_kill'),
  };
}

/** The `RssAnon` lines of /proc/PID/status and the names of these processes, as `grep -H` prints them. */
export function parseTopMemory(
  text: string,
): NonNullable<NonNullable<ContainerFacts['memory']>['top_processes']> {
  const names = parseNames(text);
  return [...text.matchAll(/^\/proc\/(\d+)\/status:RssAnon:[ \t]*(\d{1,12}) kB$/gm)].map(([, pid, kib]) => ({
    pid: Number(pid),
    process: names.get(Number(pid)) ?? '?',
    bytes: Number(kib) * 1024,
  }));
}

interface Stat {
  readonly pid: number;
  readonly cpuTicks: number;
  readonly startTicks: number;
  readonly memoryBytes: number;
}

/**
 * The texts of /proc/PID/stat after that of /proc/uptime. A name may contain blanks, parentheses and newlines, but is too short
 * for the numbers that follow it.
 */
function parseStats(text: string): { readonly uptime: number; readonly stats: ReadonlyMap<number, Stat> } {
  const stats = new Map<number, Stat>();
  for (const [, pid, numbers = ''] of text.matchAll(
    /^(\d+) \([\s\S]{0,64}?\) [A-Za-z]((?: -?\d+){20,})$/gm,
  )) {
    const fields = numbers.split(' ');
    const [user = 0, system = 0, start = 0, pages = 0] = [11, 12, 19, 21].map(
      (at) => integer(fields[at]) ?? 0,
    );
    stats.set(Number(pid), {
      pid: Number(pid),
      cpuTicks: user + system,
      startTicks: start,
      memoryBytes: pages * PAGE,
    });
  }
  return { uptime: Number.parseFloat(text), stats };
}

/** How long the container's first process has run, in seconds. */
export function parseUptime(text: string): number | null {
  const start = [...parseStats(text).stats.values()][0]?.startTicks;
  const seconds = Number.parseFloat(/^([\d.]+) [\d.]+$/m.exec(text)?.[1] ?? '');
  return start === undefined || Number.isNaN(seconds)
    ? null
    : Math.max(0, Math.round(seconds - start / TICKS));
}

/**
 * The processes that use most CPU time and memory.
 * @param names texts of /proc/PID/comm, as `grep -H` prints them
 * @param commands texts of /proc/PID/cmdline, as `head -v` prints them
 */
export function parseProcesses(
  before: string,
  after: string,
  texts: { readonly names: string; readonly commands: string },
  most: number,
): NonNullable<ContainerFacts['processes']> {
  const first = parseStats(before);
  const second = parseStats(after);
  const elapsed = Math.max(0.1, second.uptime - first.uptime);
  const names = parseNames(texts.names);
  const commands = parseCommands(texts.commands);
  const all = [...second.stats.values()].map(({ pid, cpuTicks, memoryBytes }): BusyProcess => {
    const used = cpuTicks - (first.stats.get(pid)?.cpuTicks ?? 0);
    return {
      pid,
      command: commands.get(pid) ?? `[${names.get(pid) ?? '?'}]`,
      cpu_percent: Math.max(0, Math.round((used / TICKS / elapsed) * 100)),
      memory_bytes: memoryBytes,
    };
  });
  return {
    count: all.length,
    top_cpu: all
      .filter((each) => each.cpu_percent > 0)
      .sort((a, b) => b.cpu_percent - a.cpu_percent)
      .slice(0, most),
    top_memory: all.toSorted((a, b) => b.memory_bytes - a.memory_bytes).slice(0, most),
  };
}

/** The names of processes by PID, from `/proc/PID/comm:NAME` lines. */
export function parseNames(text: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [, pid, name = ''] = /^\/proc\/(\d+)\/comm:(.*)$/.exec(line) ?? [];
    if (pid === undefined) continue;
    // A name may contain newlines.
    const before = names.get(Number(pid));
    names.set(Number(pid), oneLine(before === undefined ? name : `${before}\n${name}`, 40));
  }
  return names;
}

function parseCommands(text: string): ReadonlyMap<number, string> {
  const commands = new Map<number, string>();
  for (const [, pid = '', command = ''] of text.matchAll(
    /==> \/proc\/(\d+)\/cmdline <==\n([\s\S]*?)(?=\n?==> \/proc\/\d+\/cmdline <==|$)/g,
  )) {
    const line = oneLine(command.replaceAll('\0', ' '), 100);
    if (line !== '' && !commands.has(Number(pid))) commands.set(Number(pid), line);
  }
  return commands;
}

/** The names of the processes that use replaced files, each once. */
export function parseStale(text: string): readonly string[] {
  return [...new Set(parseNames(text).values())].sort();
}
