import { posix } from 'node:path';
import { FileError } from '../files/inode.ts';
import { fromBytes, toBytes } from '../kernel/bytes.ts';
import { searchPath } from '../kernel/execute-file.ts';
import { parseDate } from './files.ts';
import { allLines } from './input.ts';
import { parseOptions } from './options.ts';
import { formatted, interpretEscapes } from './printf.ts';
import { type Call, Failure, type Program } from './program.ts';
import { regexSource } from './regex.ts';
import { evaluateTest, TestError } from './test-expression.ts';

/** Small programs: what shells have built in, names, numbers, dates. */
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

async function expr(call: Call): Promise<number> {
  const value = new Expression(call.args).whole();
  await call.printBytes(`${value}\n`);
  return value === '' || value === '0' ? 1 : 0;
}

const LEVELS: readonly (readonly string[])[] = [
  ['|'],
  ['&'],
  ['=', '==', '!=', '<', '>', '<=', '>='],
  ['+', '-'],
  ['*', '/', '%'],
  [':'],
];

/** The arguments of expr. */
class Expression {
  readonly #args: readonly string[];
  #at = 0;

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  whole(): string {
    const value = this.#level(0);
    if (this.#at < this.#args.length || this.#args.length === 0) throw new Failure('syntax error', 2);
    return value;
  }

  #level(level: number): string {
    if (level === LEVELS.length) return this.#primary();
    let left = this.#level(level + 1);
    for (
      let operator = this.#args[this.#at] ?? '';
      LEVELS[level]?.includes(operator);
      operator = this.#args[this.#at] ?? ''
    ) {
      this.#at += 1;
      left = apply(left, operator, this.#level(level + 1));
    }
    return left;
  }

  #primary(): string {
    const word = this.#args[this.#at];
    if (word === undefined) throw new Failure('syntax error: missing argument', 2);
    this.#at += 1;
    if (word === '(') {
      const value = this.#level(0);
      if (this.#args[this.#at] !== ')') throw new Failure("syntax error: expecting ')'", 2);
      this.#at += 1;
      return value;
    }
    if (word === 'length') return String(this.#primary().length);
    return word;
  }
}

function apply(left: string, operator: string, right: string): string {
  const empty = (text: string) => text === '' || text === '0';
  const numeric = /^-?\d+$/.test(left) && /^-?\d+$/.test(right);
  switch (operator) {
    case '|':
      return empty(left) ? (empty(right) ? '0' : right) : left;
    case '&':
      return empty(left) || empty(right) ? '0' : left;
    case ':': {
      const match = new RegExp(`^(?:${regexSource(right, false)})`).exec(left);
      return match
        ? match.length > 1
          ? (match[1] ?? '')
          : String(match[0].length)
        : right.includes('\\(')
          ? ''
          : '0';
    }
    case '+':
    case '-':
    case '*':
    case '/':
    case '%': {
      if (!numeric) throw new Failure('non-integer argument', 2);
      const [a, b] = [BigInt(left), BigInt(right)];
      if (b === 0n && (operator === '/' || operator === '%')) throw new Failure('division by zero', 2);
      return String(
        operator === '+'
          ? a + b
          : operator === '-'
            ? a - b
            : operator === '*'
              ? a * b
              : operator === '/'
                ? a / b
                : a % b,
      );
    }
    default: {
      const order = numeric ? Number(left) - Number(right) : left < right ? -1 : left > right ? 1 : 0;
      const holds = {
        '=': order === 0,
        '==': order === 0,
        '!=': order !== 0,
        '<': order < 0,
        '>': order > 0,
        '<=': order <= 0,
        '>=': order >= 0,
      }[operator];
      return holds ? '1' : '0';
    }
  }
}

const DAYS = 'Sun Mon Tue Wed Thu Fri Sat'.split(' ');
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

async function date(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'uRI:d:r:s:', {
    long: { date: 'd', utc: 'u', reference: 'r', iso: 'I', 'iso-8601': 'I' },
  });
  const reference = options.value('r');
  const time =
    reference === undefined ? parseDate(options.value('d')) : (await call.sys.stat(reference)).mtime;
  const format =
    options.rest.find((arg) => arg.startsWith('+'))?.slice(1) ??
    (options.has('I') ? '%Y-%m-%d' : '%a %b %e %H:%M:%S UTC %Y');
  const two = (value: number) => String(value).padStart(2, '0');
  const values: Record<string, () => string> = {
    Y: () => String(time.getUTCFullYear()),
    y: () => two(time.getUTCFullYear() % 100),
    m: () => two(time.getUTCMonth() + 1),
    d: () => two(time.getUTCDate()),
    e: () => String(time.getUTCDate()).padStart(2),
    H: () => two(time.getUTCHours()),
    I: () => two(time.getUTCHours() % 12 || 12),
    M: () => two(time.getUTCMinutes()),
    S: () => two(time.getUTCSeconds()),
    p: () => (time.getUTCHours() < 12 ? 'AM' : 'PM'),
    N: () => String(time.getUTCMilliseconds() * 1e6).padStart(9, '0'),
    s: () => String(Math.floor(time.getTime() / 1000)),
    a: () => DAYS[time.getUTCDay()] ?? '',
    A: () => 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')[time.getUTCDay()] ?? '',
    b: () => MONTHS[time.getUTCMonth()] ?? '',
    u: () => String(time.getUTCDay() || 7),
    w: () => String(time.getUTCDay()),
    j: () =>
      String(Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 0)) / 86_400_000)).padStart(
        3,
        '0',
      ),
    F: () => time.toISOString().slice(0, 10),
    T: () => time.toISOString().slice(11, 19),
    R: () => time.toISOString().slice(11, 16),
    z: () => '+0000',
    Z: () => 'UTC',
    n: () => '\n',
    t: () => '\t',
    '%': () => '%',
  };
  await call.printBytes(
    `${format.replaceAll(/%[-_]?([a-zA-Z%])/g, (whole, letter: string) => values[letter]?.() ?? whole)}\n`,
  );
  return 0;
}

/** A user's only group is the one of the same number. */
async function id(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'ugGnr');
  const { machine, process } = call;
  const [named] = options.rest;
  const uid = named === undefined ? process.uid : uidOf(call, named);
  const name = machine.userName(uid);
  const text = !['u', 'g', 'G'].some((letter) => options.has(letter))
    ? `uid=${uid}(${name}) gid=${uid}(${name}) groups=${uid}(${name})`
    : options.has('n')
      ? name
      : String(uid);
  await call.print(`${text}\n`);
  return 0;
}

function uidOf(call: Call, name: string): number {
  const { files } = call.machine;
  const lines = files.exists('/etc/passwd') ? files.readText('/etc/passwd').split('\n') : [];
  const line = lines.find((each) => each.startsWith(`${fromBytes(name)}:`));
  if (line === undefined) throw new Failure(`'${fromBytes(name)}': no such user`);
  return Number(line.split(':')[2]);
}

async function getent(call: Call): Promise<number> {
  const [database = '', ...keys] = call.args;
  const text = call.machine.files.exists(`/etc/${database}`)
    ? call.machine.files.readText(`/etc/${database}`)
    : '';
  const lines = text
    .split('\n')
    .filter(
      (line) =>
        line !== '' &&
        (keys.length === 0 || keys.some((key) => line.split(':')[0] === key || line.split(':')[2] === key)),
    );
  for (const line of lines) await call.printBytes(`${toBytes(line)}\n`);
  return lines.length > 0 ? 0 : 2;
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
