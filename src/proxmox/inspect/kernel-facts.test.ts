import { describe, expect, test } from 'vitest';
import {
  parseMemory,
  parseNames,
  parseProcesses,
  parseStale,
  parseTopMemory,
  parseUptime,
} from './kernel-facts.ts';

/** A line of /proc/PID/stat. */
const stat = (pid: number, name: string, { user = 0, system = 0, start = 100, pages = 10 } = {}) =>
  `${pid} (${name}) S 1 1 1 0 -1 4194304 1 0 0 0 ${user} ${system} 0 0 20 0 1 0 ${start} 99 ${pages} 18446744073709551615 1 1`;

describe('memory', () => {
  test('of processes is that of their own, whatever their names', () => {
    const line = (pid: number, kib: number) => `/proc/${pid}/status:RssAnon:\t   ${kib} kB\n`;
    const names = '/proc/7/comm:a b\n/proc/7/comm:/proc/1/status:RssAnon: 9 kB\n/proc/8/comm:sh\n';
    expect(parseTopMemory(`${line(7, 20)}${line(8, 3)}${line(9, 1)}${names}`)).toEqual([
      { pid: 7, process: 'a b<U+000A>/proc/1/status:RssAnon: 9 kB', bytes: 20_480 },
      { pid: 8, process: 'sh', bytes: 3072 },
      { pid: 9, process: '?', bytes: 1024 },
    ]);
    expect(parseTopMemory('/proc/1/status:RssAnon:\t x kB\n')).toEqual([]);
  });

  const v2 = '/sys/fs/cgroup/lxc/101/';
  test('of cgroup v2 is less the page cache', () => {
    const text = `${v2}memory.current:1000\n${v2}memory.max:4096\n${v2}memory.swap.current:7\n${v2}memory.events:oom 5\n${v2}memory.events:oom_kill 3\n${v2}memory.stat:file 300\n`;
    expect(parseMemory(text)).toEqual({ used_bytes: 700, limit_bytes: 4096, swap_bytes: 7, oom_kills: 3 });
  });

  test('without a limit, as both versions of cgroups state it', () => {
    expect(parseMemory(`${v2}memory.current:1000\n${v2}memory.max:max\n`)?.limit_bytes).toBeNull();
    const v1 = '/sys/fs/cgroup/memory/lxc/101/';
    const text = `${v1}memory.usage_in_bytes:50\n${v1}memory.limit_in_bytes:9223372036854771712\n${v1}memory.oom_control:oom_kill 0\n`;
    expect(parseMemory(text)).toEqual({ used_bytes: 50, limit_bytes: null, swap_bytes: null, oom_kills: 0 });
  });

  test('is absent without its files', () => {
    expect(parseMemory('')).toBeUndefined();
  });
});

describe('processes', () => {
  test('by CPU time between two samples, and by memory', () => {
    const before = `50.00 1\n${stat(1, 'init')}\n${stat(2, 'busy', { user: 100 })}\n`;
    const after = `50.50 1\n${stat(1, 'init', { pages: 20 })}\n${stat(2, 'busy', { user: 120, system: 5 })}\n`;
    const texts = { names: '/proc/1/comm:init\n/proc/2/comm:busy\n', commands: '' };
    expect(parseProcesses(before, after, texts, 1)).toEqual({
      count: 2,
      top_cpu: [{ pid: 2, command: '[busy]', cpu_percent: 50, memory_bytes: 40_960 }],
      top_memory: [{ pid: 1, command: '[init]', cpu_percent: 0, memory_bytes: 81_920 }],
    });
  });

  test('with names that look like the end of a line are neither hidden nor doubled', () => {
    const names = ['a) S 1', ') R 2 (', 'x\n3 (y) S 1 1', 'a b', '(((', ')))'];
    const after = `50 1\n${names.map((name, index) => stat(10 + index, name)).join('\n')}\n`;
    const found = parseProcesses('50 1\n', after, { names: '', commands: '' }, 20);
    expect(found.top_memory.map(({ pid }) => pid).sort()).toEqual([10, 11, 12, 13, 14, 15]);
  });

  test('by their command line, in one line of limited length', () => {
    const commands = `==> /proc/7/cmdline <==\nnginx\0-g\0daemon\noff\0\n\n==> /proc/8/cmdline <==\n${'x'.repeat(200)}\0`;
    const after = `50 1\n${stat(7, 'nginx')}\n${stat(8, 'long')}\n`;
    const found = parseProcesses('50 1\n', after, { names: '', commands }, 5).top_memory;
    expect(found.map(({ command }) => command)).toEqual([
      'nginx -g daemon<U+000A>off',
      `${'x'.repeat(100)}…`,
    ]);
  });

  test('the uptime is that of the first process', () => {
    expect(parseUptime(`${stat(5, 'init', { start: 4000 })}\n100.00 50.00\n`)).toBe(60);
    expect(parseUptime('')).toBeNull();
  });

  test('names are read across newlines', () => {
    expect(parseNames('/proc/7/comm:a\n/proc/7/comm:b\n/proc/8/comm:c\n')).toEqual(
      new Map([
        [7, 'a<U+000A>b'],
        [8, 'c'],
      ]),
    );
    expect(parseStale('/proc/7/comm:sshd\n/proc/8/comm:sshd\n/proc/9/comm:cron\n')).toEqual(['cron', 'sshd']);
  });
});
