import { posix } from 'node:path';
import { FileError } from '../files/inode.ts';
import { searchPath } from '../kernel/execute-file.ts';
import { date } from './date.ts';
import { expr } from './expr.ts';
import { allLines } from './input.ts';
import { parseOptions } from './options.ts';
import { formatted, interpretEscapes } from './printf.ts';
import { type Call, Failure, type Program } from './program.ts';
import { evaluateTest, TestError } from './test-expression.ts';
import { getent, id } from './users.ts';

/** Small programs: shell builtins as programs, names, numbers, dates. */
export const basicPrograms: readonly (readonly [string, Program])[] = [
  ['true', () => 0],
  ['false', () => 1],
  ['echo', echo],
  [
    'printf',
    async (call) => {
      const [format = '', ...values] = call.args;
      const { bytes, faults } = formatted(format, values);
      await call.printBytes(bytes);
      for (const each of faults) await call.warn(`printf: ${each}\n`);
      return faults.length > 0 ? 1 : 0;
    },
  ],
  ['test', (call) => test(call, call.args)],
  ['[', (call) => test(call, call.args.slice(0, -1))],
  [
    'pwd',
    async (call) => {
      await call.print(`${call.process.cwd}\n`);
      return 0;
    },
  ],
  [
    'basename',
    async (call) => {
      const [path = '', suffix = ''] = call.args;
      const name = posix.basename(path.replace(/\/+$/, '') || '/');
      await call.printBytes(
        `${name !== suffix && name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : name}\n`,
      );
      return 0;
    },
  ],
  [
    'dirname',
    async (call) => {
      for (const path of call.args) await call.printBytes(`${posix.dirname(path)}\n`);
      return 0;
    },
  ],
  [
    'which',
    async (call) => {
      let code = 0;
      for (const name of call.args.filter((arg) => !arg.startsWith('-'))) {
        try {
          await call.printBytes(
            `${await searchPath(call.process, name, call.process.env.get('PATH') ?? '')}\n`,
          );
        } catch (error) {
          if (!(error instanceof FileError)) throw error;
          code = 1;
        }
      }
      return code;
    },
  ],
  ['seq', seq],
  ['expr', expr],
  ['date', date],
  ['id', id],
  [
    'whoami',
    async (call) => {
      await call.print(`${call.machine.userName(call.process.uid)}\n`);
      return 0;
    },
  ],
  [
    'hostname',
    async (call) => {
      await call.print(`${call.machine.hostname}\n`);
      return 0;
    },
  ],
  [
    'arch',
    async (call) => {
      await call.print('x86_64\n');
      return 0;
    },
  ],
  [
    'tty',
    async (call) => {
      await call.print('not a tty\n');
      return 1;
    },
  ],
  ['getent', getent],
  [
    'column',
    async (call) => {
      const { lines } = await allLines(
        call,
        call.args.filter((arg) => !arg.startsWith('-')),
      );
      const rows = lines.map((line) => line.trim().split(/\s+/));
      const widths = (rows[0] ?? []).map((_, column) =>
        Math.max(...rows.map((row) => (row[column] ?? '').length)),
      );
      for (const row of rows)
        await call.printBytes(
          `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ')}\n`,
        );
      return 0;
    },
  ],
  ['paste', paste],
];

async function echo(call: Call): Promise<number> {
  let rest = call.args;
  let [newline, escapes] = [true, false];
  while (/^-[neE]+$/.test(rest[0] ?? '')) {
    if (rest[0]?.includes('n')) newline = false;
    if (rest[0]?.includes('e')) escapes = true;
    rest = rest.slice(1);
  }
  const { bytes, stopped } = escapes
    ? interpretEscapes(rest.join(' '), 'echo')
    : { bytes: rest.join(' '), stopped: false };
  await call.printBytes(bytes + (newline && !stopped ? '\n' : ''));
  return 0;
}

async function test(call: Call, args: readonly string[]): Promise<number> {
  try {
    return (await evaluateTest(args, call.sys)) ? 0 : 1;
  } catch (error) {
    if (error instanceof TestError) throw new Failure(error.message, 2);
    throw error;
  }
}

async function seq(call: Call): Promise<number> {
  const args = [...call.args];
  let separator = '\n';
  let width = 0;
  while (/^-[sw]/.test(args[0] ?? '')) {
    const option = args.shift() ?? '';
    if (option.startsWith('-s')) separator = option.length > 2 ? option.slice(2) : (args.shift() ?? '');
    else width = Math.max(...args.map((arg) => arg.length));
  }
  const numbers = args.map(Number);
  if (numbers.length === 0 || numbers.some(Number.isNaN))
    throw new Failure(`invalid floating point argument: '${args.join(' ')}'`);
  const [first = 1, step = 1, last = 1] =
    numbers.length === 1 ? [1, 1, numbers[0]] : numbers.length === 2 ? [numbers[0], 1, numbers[1]] : numbers;
  const decimals = Math.max(...args.map((arg) => arg.split('.')[1]?.length ?? 0));
  const count = Math.floor((last - first) / step + 1e-9) + 1;
  for (let at = 0; at < count; at += 4096) {
    const size = Math.min(4096, count - at);
    const block = Array.from({ length: size }, (_, index) =>
      (first + (at + index) * step).toFixed(decimals).padStart(width, '0'),
    );
    await call.print((at > 0 ? separator : '') + block.join(separator));
  }
  if (count > 0) await call.print('\n');
  return 0;
}

async function paste(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'd:s');
  const delimiter = options.value('d') ?? '\t';
  const columns: string[][] = [];
  for (const name of options.rest.length === 0 ? ['-'] : options.rest)
    columns.push((await allLines(call, [name])).lines);
  if (options.has('s')) for (const column of columns) await call.printBytes(`${column.join(delimiter)}\n`);
  else
    for (let row = 0; row < Math.max(...columns.map(({ length }) => length)); row += 1)
      await call.printBytes(`${columns.map((column) => column[row] ?? '').join(delimiter)}\n`);
  return 0;
}
