import type { SystemCalls } from '../kernel/system-calls.ts';
import { parseInteger } from '../shell/arithmetic.ts';

/** An invalid expression of `test`. */
export class TestError extends Error {}

const UNARY = new Set('-b -c -d -e -f -g -G -h -k -L -n -N -O -p -r -s -S -t -u -w -x -z'.split(' '));
const BINARY = new Set('= == != < > -eq -ne -gt -ge -lt -le -nt -ot -ef'.split(' '));

/** Evaluates the arguments of `test`. @throws TestError */
export function evaluateTest(args: readonly string[], sys: SystemCalls): boolean | Promise<boolean> {
  // POSIX evaluates up to four arguments by their number.
  const [a = '', b = '', c = ''] = args;
  switch (args.length) {
    case 0:
      return false;
    case 1:
      return a !== '';
    case 2:
      if (a === '!') return b === '';
      if (UNARY.has(a)) return unary(a, b, sys);
      throw new TestError(`${a}: unexpected operator`);
    case 3:
      if (BINARY.has(b)) return binary(a, b, c, sys);
      if (a === '!') return not(evaluateTest([b, c], sys));
      if (a === '(' && c === ')') return b !== '';
      break;
    case 4:
      if (a === '!') return not(evaluateTest([b, c, args[3] ?? ''], sys));
      if (a === '(' && args[3] === ')') return evaluateTest([b, c], sys);
  }
  return new Expression(args, sys).whole();
}

class Expression {
  readonly #args: readonly string[];
  readonly #sys: SystemCalls;
  #at = 0;

  constructor(args: readonly string[], sys: SystemCalls) {
    this.#args = args;
    this.#sys = sys;
  }

  async whole(): Promise<boolean> {
    const value = await this.#or();
    const rest = this.#args[this.#at];
    if (rest !== undefined) throw new TestError(`${rest}: unexpected operator`);
    return value;
  }

  async #or(): Promise<boolean> {
    let value = await this.#and();
    while (this.#args[this.#at] === '-o') {
      this.#at += 1;
      const right = await this.#and();
      value = value || right;
    }
    return value;
  }

  async #and(): Promise<boolean> {
    let value = await this.#not();
    while (this.#args[this.#at] === '-a') {
      this.#at += 1;
      const right = await this.#not();
      value = value && right;
    }
    return value;
  }

  async #not(): Promise<boolean> {
    if (this.#args[this.#at] === '!') {
      this.#at += 1;
      return !(await this.#not());
    }
    return this.#primary();
  }

  async #primary(): Promise<boolean> {
    const first = this.#args[this.#at];
    const second = this.#args[this.#at + 1];
    if (first === undefined) throw new TestError('argument expected');
    if (second !== undefined && BINARY.has(second) && this.#args[this.#at + 2] !== undefined) {
      this.#at += 3;
      return binary(first, second, this.#args[this.#at - 1] ?? '', this.#sys);
    }
    if (first === '(') {
      this.#at += 1;
      const value = await this.#or();
      if (this.#args[this.#at] !== ')') throw new TestError('closing paren expected');
      this.#at += 1;
      return value;
    }
    if (UNARY.has(first) && second !== undefined) {
      this.#at += 2;
      return unary(first, second, this.#sys);
    }
    this.#at += 1;
    return first !== '';
  }
}

function not(value: boolean | Promise<boolean>): boolean | Promise<boolean> {
  return typeof value === 'boolean' ? !value : value.then((result) => !result);
}

function unary(operator: string, value: string, sys: SystemCalls): boolean | Promise<boolean> {
  if (operator === '-n') return value !== '';
  if (operator === '-z') return value === '';
  return ofFile(operator, value, sys);
}

async function ofFile(operator: string, value: string, sys: SystemCalls): Promise<boolean> {
  if (operator === '-t') return false;
  if (operator === '-r') return sys.may(value, 4);
  if (operator === '-w') return sys.may(value, 2);
  if (operator === '-x') return sys.may(value, 1);
  const inode = await sys.find(value, operator !== '-h' && operator !== '-L');
  if (!inode) return false;
  switch (operator) {
    case '-e':
      return true;
    case '-f':
      return inode.kind === 'file' || inode.kind === 'generated';
    case '-d':
      return inode.kind === 'directory';
    case '-h':
    case '-L':
      return inode.kind === 'link';
    case '-p':
      return inode.kind === 'fifo';
    case '-S':
      return inode.kind === 'socket';
    case '-c':
      return inode.kind === 'device';
    case '-s':
      return inode.kind === 'directory' || (inode.kind === 'file' && inode.content.length > 0);
    case '-u':
      return (inode.mode & 0o4000) !== 0;
    case '-g':
      return (inode.mode & 0o2000) !== 0;
    case '-k':
      return (inode.mode & 0o1000) !== 0;
    case '-O':
      return inode.uid === sys.process.uid;
    case '-G':
      return inode.gid === sys.process.uid;
    default:
      return false;
  }
}

function number(text: string): bigint {
  const [, sign = '', digits = ''] = /^\s*([-+]?)(\d+)\s*$/.exec(text) ?? [];
  if (digits === '') throw new TestError(`Illegal number: ${text}`);
  const value = parseInteger(digits.replace(/^0+(?=\d)/, '')) ?? 0n;
  return sign === '-' ? -value : value;
}

function binary(left: string, operator: string, right: string, sys: SystemCalls): boolean | Promise<boolean> {
  switch (operator) {
    case '=':
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '-eq':
      return number(left) === number(right);
    case '-ne':
      return number(left) !== number(right);
    case '-gt':
      return number(left) > number(right);
    case '-ge':
      return number(left) >= number(right);
    case '-lt':
      return number(left) < number(right);
    case '-le':
      return number(left) <= number(right);
    default:
      return ofFiles(left, operator, right, sys);
  }
}

async function ofFiles(left: string, operator: string, right: string, sys: SystemCalls): Promise<boolean> {
  const [a, b] = [await sys.find(left), await sys.find(right)];
  if (operator === '-ef') return a !== undefined && a === b;
  if (operator === '-nt') return a !== undefined && (b === undefined || a.mtime > b.mtime);
  return b !== undefined && (a === undefined || a.mtime < b.mtime);
}
