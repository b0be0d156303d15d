import { fromBytes } from '../kernel/bytes.ts';
import { executeOrTell, fork, spawn } from '../kernel/execute-file.ts';
import type { Process } from '../kernel/process.ts';
import { parseSignal } from '../kernel/signals.ts';
import { visibleTo } from './kill.ts';
import { parseOptions } from './options.ts';
import { type Call, Failure, type Program } from './program.ts';

/** Programs that start other programs, or wait. */
export const launchers: readonly (readonly [string, Program])[] = [
  ['sleep', sleep],
  ['env', env],
  ['printenv', printenv],
  ['setsid', setsid],
  ['nohup', nohup],
  ['nice', (call) => run(call, parseOptions(call.args, 'n:', { posix: true }).rest)],
  ['ionice', (call) => run(call, parseOptions(call.args, 'c:n:', { posix: true }).rest)],
  ['timeout', timeout],
  ['xargs', xargs],
  ['time', (call) => run(call, parseOptions(call.args, 'p', { posix: true }).rest)],
  ['stdbuf', (call) => run(call, parseOptions(call.args, 'i:o:e:', { posix: true }).rest)],
  ['chroot', (call) => run(call, call.args.slice(1))],
  ['yes', yes],
];

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function seconds(text: string): number | undefined {
  const [, number, unit = 's'] = /^(\d*\.?\d+)([smhd])?$/.exec(text) ?? [];
  return number === undefined ? (text === 'infinity' ? 1e9 : undefined) : Number(number) * (UNITS[unit] ?? 1);
}

async function sleep(call: Call): Promise<number> {
  if (call.args.length === 0) throw new Failure('missing operand');
  let total = 0;
  for (const arg of call.args) {
    const time = seconds(arg);
    if (time === undefined) throw new Failure(`invalid time interval '${fromBytes(arg)}'`);
    total += time;
  }
  await call.process.sleep(total * 1000);
  return 0;
}

/** Replaces the process with the program. */
function run(call: Call, argv: readonly string[], environment = call.process.env): Promise<number> {
  if (argv.length === 0) throw new Failure('missing operand', 125);
  return executeOrTell(call.process, argv, environment, call.name);
}

async function env(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'iu:0C:S:', {
    posix: true,
    code: 125,
    long: { 'ignore-environment': 'i', unset: 'u', chdir: 'C' },
  });
  const rest = [...options.rest];
  if (rest[0] === '-') rest.shift();
  const variables = new Map(options.has('i') || options.rest[0] === '-' ? [] : call.process.env);
  for (const name of options.values('u')) variables.delete(name);
  for (
    let match = /^([^=]+)=([\s\S]*)$/.exec(rest[0] ?? '');
    match;
    match = /^([^=]+)=([\s\S]*)$/.exec(rest[0] ?? '')
  ) {
    variables.set(match[1] ?? '', match[2] ?? '');
    rest.shift();
  }
  const directory = options.value('C');
  if (directory !== undefined) call.process.cwd = call.sys.absolute(directory);
  if (rest.length > 0) return run(call, rest, variables);
  for (const [name, value] of variables)
    await call.printBytes(`${name}=${value}${options.has('0') ? '\0' : '\n'}`);
  return 0;
}

async function printenv(call: Call): Promise<number> {
  if (call.args.length === 0) return env(call);
  let code = 0;
  for (const name of call.args) {
    const value = call.process.env.get(name);
    if (value === undefined) code = 1;
    else await call.printBytes(`${value}\n`);
  }
  return code;
}

async function setsid(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'cfw', { posix: true, long: { fork: 'f', wait: 'w' } });
  const { process } = call;
  // The leader of a group cannot become the leader of a session, so a child does it.
  if (process.group !== process.pid && !options.has('f')) {
    process.session = process.pid;
    process.group = process.pid;
    return run(call, options.rest);
  }
  const child = fork(process, (inner) => executeOrTell(inner, options.rest, inner.env, call.name), {
    setsid: true,
  });
  return options.has('w') ? call.wait(child) : 0;
}

async function nohup(call: Call): Promise<number> {
  call.process.ignored.add('HUP');
  return run(call, call.args);
}

async function timeout(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'k:s:vfp', {
    posix: true,
    code: 125,
    long: { 'kill-after': 'k', signal: 's', foreground: 'f', 'preserve-status': 'p' },
  });
  const [limitText = '', ...argv] = options.rest;
  const limit = seconds(limitText);
  if (limit === undefined) throw new Failure(`invalid time interval '${fromBytes(limitText)}'`, 125);
  const signal = parseSignal(options.value('s') ?? 'TERM') ?? 'TERM';
  const { process } = call;
  if (!options.has('f')) process.group = process.pid;
  const child = spawn(process, argv);
  const reaches = () =>
    visibleTo(process).filter((each) => each !== process && (each === child || each.group === process.group));
  const strike = (how: typeof signal) => {
    for (const each of reaches()) {
      each.signal(how);
      if (how !== 'KILL') each.signal('CONT');
    }
  };
  // When timeout is killed by TERM, the command must not continue.
  process.onSignal = (received) => {
    if (received !== 'TERM' && received !== 'INT' && received !== 'HUP') return false;
    strike(received);
    return false;
  };
  const limitMs = limit === 0 ? undefined : limit * 1000;
  const ended = await endOf(process, child, limitMs);
  if (ended) return ended.code;
  strike(signal);
  const grace = options.value('k');
  if (grace !== undefined && !(await endOf(process, child, (seconds(grace) ?? 0) * 1000))) {
    strike('KILL');
    await process.waitFor(child);
    return 137;
  }
  const status = await process.waitFor(child);
  return options.has('p') ? (status?.code ?? 124) : signal === 'KILL' ? 137 : 124;
}

async function endOf(process: Process, child: Process, withinMs: number | undefined) {
  const end = performance.now() + (withinMs ?? 0);
  while (!child.status) {
    const left = end - performance.now();
    if (withinMs !== undefined && left <= 0) return undefined;
    await process.block(
      child.ended,
      withinMs === undefined ? {} : { timeoutMs: Math.min(left, 2 ** 31 - 1) },
    );
  }
  return child.status;
}

async function xargs(call: Call): Promise<number> {
  const options = parseOptions(call.args, '0rn:L:I:P:td:', {
    posix: true,
    long: { null: '0', 'no-run-if-empty': 'r', 'max-args': 'n' },
  });
  const text = (await call.readStdin()).toString('latin1');
  const replace = options.value('I');
  const items = options.has('0')
    ? text.split('\0').filter((each) => each !== '')
    : replace !== undefined || options.has('L')
      ? text
          .split('\n')
          .map((each) => each.trim())
          .filter((each) => each !== '')
      : [...text.matchAll(/'([^']*)'|"([^"]*)"|((?:\\.|[^\s'"])+)/gs)].map(
          ([, single, double, plain]) => single ?? double ?? (plain ?? '').replaceAll(/\\(.)/gs, '$1'),
        );
  const command = options.rest.length === 0 ? ['echo'] : options.rest;
  if (items.length === 0 && (options.has('r') || replace !== undefined)) return 0;
  const size =
    replace !== undefined ? 1 : Number(options.value('n') ?? options.value('L') ?? Math.max(1, items.length));
  let code = 0;
  for (let at = 0; at < Math.max(1, items.length); at += size) {
    const chunk = items.slice(at, at + size);
    const argv =
      replace === undefined
        ? [...command, ...chunk]
        : command.map((each) => each.replaceAll(replace, chunk[0] ?? ''));
    const status = await call.wait(spawn(call.process, argv));
    if (status === 126 || status === 127) return status;
    if (status !== 0) code = 123;
  }
  return code;
}

async function yes(call: Call): Promise<number> {
  const block = Buffer.from(`${call.args.join(' ') || 'y'}\n`.repeat(512), 'latin1');
  for (;;) await call.write(block);
}
