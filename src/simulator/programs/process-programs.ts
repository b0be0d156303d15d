import { fromBytes } from '../kernel/bytes.ts';
import { parentOf } from '../kernel/proc-directory.ts';
import type { Process } from '../kernel/process.ts';
import { parseSignal, type Signal } from '../kernel/signals.ts';
import { kill, visibleTo } from './kill.ts';
import { parseOptions } from './options.ts';
import { type Call, Failure, type Program } from './program.ts';

/** Programs that list and kill processes. */
export const processPrograms: readonly (readonly [string, Program])[] = [
  ['kill', kill],
  ['ps', ps],
  ['top', ps],
  ['pgrep', pgrep],
  ['pkill', pkill],
  [
    'killall',
    (call) => {
      const options = parseOptions(call.args, 'qws:');
      return signalAll(
        call,
        visibleTo(call).filter(({ comm }) => options.rest.includes(comm)),
        signalIn(call.args),
      );
    },
  ],
  [
    'pidof',
    async (call) => {
      const names = call.args.filter((arg) => !arg.startsWith('-'));
      const found = visibleTo(call).filter(({ comm }) => names.includes(comm));
      if (found.length > 0) await call.print(`${found.map(({ pid }) => pid).join(' ')}\n`);
      return found.length > 0 ? 0 : 1;
    },
  ],
];

const COLUMNS: Readonly<
  Record<string, { title: string; value: (each: Process, call: Call) => string; left?: boolean }>
> = {
  pid: { title: 'PID', value: ({ pid }) => String(pid) },
  ppid: { title: 'PPID', value: (each) => String(parentOf(each)) },
  pgid: { title: 'PGID', value: ({ group }) => String(group) },
  pgrp: { title: 'PGRP', value: ({ group }) => String(group) },
  sid: { title: 'SID', value: ({ session }) => String(session) },
  stat: { title: 'STAT', value: ({ state }) => state, left: true },
  s: { title: 'S', value: ({ state }) => state, left: true },
  state: { title: 'S', value: ({ state }) => state, left: true },
  user: { title: 'USER', value: ({ uid }, call) => call.machine.userName(uid), left: true },
  uid: { title: 'UID', value: ({ uid }) => String(uid) },
  tty: { title: 'TT', value: () => '?', left: true },
  tt: { title: 'TT', value: () => '?', left: true },
  time: { title: 'TIME', value: () => '00:00:00' },
  etime: { title: 'ELAPSED', value: elapsed },
  etimes: {
    title: 'ELAPSED',
    value: ({ startedAt }) => String(Math.floor((Date.now() - startedAt.getTime()) / 1000)),
  },
  '%cpu': { title: '%CPU', value: () => '0.0' },
  pcpu: { title: '%CPU', value: () => '0.0' },
  '%mem': { title: '%MEM', value: () => '0.1' },
  pmem: { title: '%MEM', value: () => '0.1' },
  rss: { title: 'RSS', value: () => '3412' },
  vsz: { title: 'VSZ', value: () => '7236' },
  comm: { title: 'COMMAND', value: ({ comm }) => comm, left: true },
  args: { title: 'COMMAND', value: commandLine, left: true },
  cmd: { title: 'CMD', value: commandLine, left: true },
  command: { title: 'COMMAND', value: commandLine, left: true },
};

function commandLine({ cmdline, comm }: Process): string {
  return cmdline === '' ? `[${comm}]` : cmdline;
}

function elapsed({ startedAt }: Process): string {
  const total = Math.max(0, Math.floor((Date.now() - startedAt.getTime()) / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(total / 3600);
  return `${hours > 0 ? `${two(hours)}:` : ''}${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`;
}

/** `ps`, `ps aux`, `ps -ef`, `ps -o pid,args`, `ps -p PID`. */
async function ps(call: Call): Promise<number> {
  let names = ['pid', 'ppid', 's', 'etime', 'cmd'];
  let titles: Readonly<Record<string, string>> = {};
  let pids: number[] | undefined;
  let sortKey: string | undefined;
  const args = [...call.args];
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    if (/^-?[a-zA-Z]*o$/.test(arg) || /^-o/.test(arg)) {
      const list = /^-o./.test(arg) ? arg.slice(2) : (args.shift() ?? '');
      const columns = list.split(/[, ]/).filter((each) => each !== '');
      titles = {
        ...titles,
        ...Object.fromEntries(
          columns
            .filter((each) => each.includes('='))
            .map((each) => [each.split('=')[0] ?? '', each.split('=')[1] ?? '']),
        ),
      };
      names = columns.map((each) => each.split('=')[0] ?? '');
    } else if (arg === '-p' || arg === '--pid') pids = (args.shift() ?? '').split(/[, ]/).map(Number);
    else if (/^\d+$/.test(arg)) pids = [...(pids ?? []), Number(arg)];
    else if (arg.startsWith('--sort')) sortKey = arg.split('=')[1] ?? args.shift();
    else if (/^-[a-zA-Z]*f/.test(arg)) names = ['user', 'pid', 'ppid', 'pcpu', 'etime', 'tty', 'time', 'cmd'];
    else if (/^[a-z]*u[a-z]*$/.test(arg))
      names = ['user', 'pid', '%cpu', '%mem', 'vsz', 'rss', 'tty', 'stat', 'etime', 'time', 'command'];
  }
  const unknown = names.find((name) => !COLUMNS[name]);
  if (unknown !== undefined) throw new Failure(`error: unknown user-defined format specifier "${unknown}"`);
  const found = visibleTo(call).filter(({ pid }) => pids === undefined || pids.includes(pid));
  if (sortKey === 'pid') found.sort((a, b) => a.pid - b.pid);
  const rows = found.map((each) => names.map((name) => COLUMNS[name]?.value(each, call) ?? ''));
  const heads = names.map((name) => titles[name] ?? COLUMNS[name]?.title ?? '');
  const shown = heads.every((head) => head === '') ? rows : [heads, ...rows];
  const widths = names.map((_, column) =>
    Math.max(...shown.map((row) => (row[column] ?? '').length), names[column] === 'pid' ? 7 : 0),
  );
  for (const row of shown) {
    const cells = row.map((cell, column) => {
      const isLast = column === row.length - 1;
      return COLUMNS[names[column] ?? '']?.left
        ? isLast
          ? cell
          : cell.padEnd(widths[column] ?? 0)
        : cell.padStart(widths[column] ?? 0);
    });
    await call.print(`${cells.join(' ')}\n`);
  }
  return found.length > 0 ? 0 : 1;
}

function matching(call: Call): Process[] {
  const options = parseOptions(
    call.args.filter((arg) => !/^-(\d+|[A-Z]{3,})$/.test(arg)),
    'acflnoxvd:g:P:s:u:U:',
    { long: { full: 'f', list: 'l', exact: 'x', parent: 'P', session: 's' } },
  );
  const text = options.rest[0];
  const pattern = new RegExp(
    text === undefined ? '' : options.has('x') ? `^(?:${fromBytes(text)})$` : fromBytes(text),
  );
  const numbers = (letter: string) => options.value(letter)?.split(',').map(Number);
  const [parents, sessions, groups] = [numbers('P'), numbers('s'), numbers('g')];
  return visibleTo(call).filter(
    (each) =>
      each !== call.process &&
      (parents === undefined || parents.includes(each.parentPid)) &&
      (sessions === undefined || sessions.includes(each.session)) &&
      (groups === undefined || groups.includes(each.group)) &&
      pattern.test(options.has('f') ? each.cmdline : each.comm) !== options.has('v'),
  );
}

async function pgrep(call: Call): Promise<number> {
  const found = matching(call);
  const [full, named] = [
    call.args.some((arg) => /^-[a-z]*a/.test(arg)),
    call.args.some((arg) => /^-[a-z]*l/.test(arg)),
  ];
  if (call.args.some((arg) => /^-[a-z]*c$/.test(arg))) await call.print(`${found.length}\n`);
  else
    for (const { pid, cmdline, comm } of found)
      await call.print(`${pid}${full ? ` ${cmdline}` : named ? ` ${comm}` : ''}\n`);
  return found.length > 0 ? 0 : 1;
}

function signalIn(args: readonly string[]): Signal {
  const name = args.map((arg) => /^-(?:SIG)?([A-Z0-9]+)$/.exec(arg)?.[1]).find((each) => each !== undefined);
  return parseSignal(name ?? 'TERM') ?? 'TERM';
}

function pkill(call: Call): Promise<number> {
  return signalAll(call, matching(call), signalIn(call.args));
}

async function signalAll(call: Call, found: readonly Process[], signal: Signal): Promise<number> {
  for (const each of found) if (call.process.uid === 0 || each.uid === call.process.uid) each.signal(signal);
  await call.process.ready();
  return found.length > 0 ? 0 : 1;
}
