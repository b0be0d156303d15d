import { parseSignal, SIGNALS, type Signal, signalNumber } from '../../kernel/signals.ts';
import { sendSignals } from '../../programs/kill.ts';
import type { Builtin } from '../builtins.ts';
import type { Executor } from '../execute.ts';
import type { Shell } from '../posix-shell.ts';
import { ShellError } from '../shell-errors.ts';

async function print(shell: Shell, bytes: string): Promise<void> {
  await shell.process.fds.get(1).write(shell.process, Buffer.from(bytes, 'latin1'));
}

async function wait({ shell }: Executor, args: readonly string[]): Promise<number> {
  const pids = args.map((arg) =>
    /^%\d+$/.test(arg) ? (shell.jobs.running[Number(arg.slice(1)) - 1]?.pid ?? 0) : Number(arg),
  );
  if (pids.some((pid) => !Number.isInteger(pid)))
    throw new ShellError(`wait: Illegal number: ${args.join(' ')}`);
  return shell.jobs.wait(pids);
}

async function trap({ shell }: Executor, args: readonly string[]): Promise<number> {
  const rest = args[0] === '--' ? args.slice(1) : args;
  if (rest.length === 0) {
    for (const [name, action] of shell.traps.all)
      await print(shell, `trap -- '${action.replaceAll("'", `'"'"'`)}' ${name}\n`);
    return 0;
  }
  const isReset = rest.length === 1 || /^\d+$/.test(rest[0] ?? '');
  const action = isReset ? '-' : (rest[0] ?? '');
  for (const text of isReset ? rest : rest.slice(1)) {
    const name = /^(EXIT|0)$/i.test(text) ? 'EXIT' : parseSignal(text);
    if (name === undefined || (shell.dialect === 'dash' && /^SIG/i.test(text))) {
      await shell.complain(`trap: ${text}: bad trap`);
      return 1;
    }
    shell.traps.set(name, action === '-' ? undefined : action);
  }
  return 0;
}

async function kill({ shell }: Executor, args: readonly string[]): Promise<number> {
  let signal: Signal | 0 = 'TERM';
  let index = 0;
  const [first = ''] = args;
  const named = (text: string): Signal | 0 => {
    const found = text === '0' ? 0 : parseSignal(text);
    if (found === undefined) throw new ShellError(`kill: Illegal number: ${text}`);
    return found;
  };
  if (first === '-l') {
    const number = Number(args[1] ?? Number.NaN) & 127;
    const lines = args.length > 1 ? SIGNALS.filter((each) => signalNumber(each) === number) : SIGNALS;
    await print(shell, `${lines.join('\n')}\n`);
    return 0;
  }
  if (first === '-s' || first === '-n') {
    signal = named(args[1] ?? '');
    index = 2;
  } else if (first === '--') index = 1;
  else if (/^-./.test(first)) {
    signal = named(first.slice(1));
    index = 1;
  }
  if (args[index] === '--') index += 1;
  const targets = args.slice(index);
  if (targets.length === 0)
    throw new ShellError('kill: Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]...');
  const pids = targets.map((target) =>
    /^%\d+$/.test(target) ? String(shell.jobs.running[Number(target.slice(1)) - 1]?.pid ?? '') : target,
  );
  const faults = sendSignals(shell.process, signal, pids);
  for (const { target, text } of faults) {
    await shell.complain(shell.dialect === 'bash' ? `kill: (${target}) - ${text}` : `kill: ${text}`);
  }
  // A signal to the shell itself takes effect immediately.
  await shell.process.ready();
  return faults.length > 0 ? 1 : 0;
}

async function jobs({ shell }: Executor): Promise<number> {
  for (const [index, { cmdline }] of shell.jobs.running.entries())
    await print(
      shell,
      `[${index + 1}] ${index === shell.jobs.running.length - 1 ? '+' : '-'} Running                    ${cmdline}\n`,
    );
  return 0;
}

/** Only the file size limit has an effect; its unit is blocks. */
async function ulimit({ shell }: Executor, args: readonly string[]): Promise<number> {
  const limitsSize = !args.some((arg) => /^-[^fHS]/.test(arg));
  const value = args.find((arg) => /^(\d+|unlimited|hard|soft)$/.test(arg));
  const blockSize = shell.dialect === 'bash' ? 1024 : 512;
  if (value === undefined) {
    const openFiles = args.some((arg) => arg.includes('n'));
    const limit = openFiles
      ? 1024
      : limitsSize
        ? shell.process.fileSizeLimit / blockSize
        : Number.POSITIVE_INFINITY;
    await print(shell, `${Number.isFinite(limit) ? Math.floor(limit) : 'unlimited'}\n`);
  } else if (limitsSize && /^(\d+|unlimited)$/.test(value))
    shell.process.fileSizeLimit =
      value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value) * blockSize;
  return 0;
}

/** The builtins for processes, signals and limits. */
export const processBuiltins: readonly (readonly [string, Builtin])[] = [
  ['wait', wait],
  ['trap', trap],
  ['kill', kill],
  ['jobs', jobs],
  ['ulimit', ulimit],
];
