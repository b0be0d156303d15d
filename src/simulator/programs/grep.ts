import { posix } from 'node:path';
import { Access } from '../files/access.ts';
import { FileError } from '../files/inode.ts';
import type { VirtualFs } from '../files/virtual-fs.ts';
import type { ProgramCall } from '../shell/machine.ts';

const LETTERS = 'acEFGhHilLnoqrRsvwxP';

interface Grep {
  readonly flags: ReadonlySet<string>;
  readonly pattern: RegExp;
  readonly files: readonly string[];
}

/** grep as GNU and busybox have it, where just-bash's lacks -a, -s and -H; what is asked more rarely is left to that one. */
export async function grep(call: ProgramCall): Promise<number> {
  const plan = understand(call.args);
  if (!plan) {
    const result = await call.original(call.args);
    await call.stdout.write(result.stdout);
    await call.stderr.write(result.stderr);
    return result.exitCode;
  }
  const { flags } = plan;
  const recursive = flags.has('r') || flags.has('R');
  const names =
    plan.files.length === 0 && !recursive
      ? ['-']
      : plan.files.flatMap((file) => (recursive ? below(call, file) : [file]));
  const named = !flags.has('h') && (flags.has('H') || names.length > 1 || recursive);
  let found = false;
  let failed = false;
  for (const name of names) {
    const text = await read(call, name, flags.has('s'));
    if (text === undefined) {
      failed = true;
      continue;
    }
    const lines = matches(text, plan);
    found ||= lines.length > 0;
    if (flags.has('q')) continue;
    const prefix = named ? `${name === '-' ? '(standard input)' : name}:` : '';
    if (flags.has('l')) await call.stdout.write(lines.length > 0 ? `${name}\n` : '');
    else if (flags.has('c')) await call.stdout.write(`${prefix}${lines.length}\n`);
    else await call.stdout.write(lines.map((line) => `${prefix}${line}\n`).join(''));
  }
  if (found && flags.has('q')) return 0;
  return failed ? 2 : found ? 0 : 1;
}

/** @returns undefined for what is beyond this grep */
function understand(args: readonly string[]): Grep | undefined {
  const flags = new Set<string>();
  const patterns: string[] = [];
  const rest: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') {
      rest.push(...args.slice(index + 1));
      break;
    }
    if (arg === '-e') patterns.push(args[++index] ?? '');
    else if (/^-[A-Za-z]+$/.test(arg)) {
      if ([...arg.slice(1)].some((letter) => !LETTERS.includes(letter))) return undefined;
      for (const letter of arg.slice(1)) flags.add(letter);
    } else if (arg.startsWith('-') && arg !== '-') return undefined;
    else rest.push(arg);
  }
  if (patterns.length === 0) patterns.push(rest.shift() ?? '');
  if (flags.has('L')) return undefined;
  const source = patterns
    .flatMap((each) => each.split('\n'))
    .map((each) => toRegExp(each, flags))
    .join('|');
  const bounded = flags.has('x') ? `^(?:${source})$` : flags.has('w') ? `\\b(?:${source})\\b` : source;
  try {
    return { flags, files: rest, pattern: new RegExp(bounded, flags.has('i') ? 'gi' : 'g') };
  } catch {
    return undefined;
  }
}

/** Basic regular expressions give ( ) { } + ? | a meaning only behind a backslash. */
function toRegExp(pattern: string, flags: ReadonlySet<string>): string {
  if (flags.has('F')) return pattern.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const classes: Record<string, string> = {
    space: '\\s',
    digit: '0-9',
    alpha: 'A-Za-z',
    alnum: 'A-Za-z0-9',
    upper: 'A-Z',
    lower: 'a-z',
  };
  const common = pattern.replaceAll(/\[:(\w+):\]/g, (whole, name: string) => classes[name] ?? whole);
  if (flags.has('E') || flags.has('P')) return common;
  return common.replaceAll(
    /\\([(){}+?|])|([(){}+?|])/g,
    (_whole, escaped?: string, plain?: string) => escaped ?? `\\${plain}`,
  );
}

function matches(text: string, { pattern, flags }: Grep): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.flatMap((line, index) => {
    const hits = [...line.matchAll(pattern)].map(([hit]) => hit);
    if (hits.length > 0 === flags.has('v')) return [];
    const number = flags.has('n') ? `${index + 1}:` : '';
    const shown = flags.has('o') && !flags.has('v') ? hits.filter((hit) => hit !== '') : [line];
    return shown.map((each) => number + each);
  });
}

async function read(call: ProgramCall, name: string, silent: boolean): Promise<string | undefined> {
  if (name === '-') return call.stdin.toString('utf8');
  const { machine, cwd, uid, stderr } = call;
  const path = posix.resolve(cwd, name);
  let problem = 'No such file or directory';
  try {
    await machine.gate(path);
    const access = new Access(machine.files, uid);
    access.requireReach(path);
    const inode = machine.files.find(path);
    if (inode) access.requireRead(path);
    if (inode?.kind === 'directory') problem = 'Is a directory';
    else if (inode) return machine.files.readText(path);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    problem = error.text;
  }
  if (!silent) await stderr.write(`grep: ${name}: ${problem}\n`);
  return undefined;
}

function below({ machine, cwd }: ProgramCall, name: string): string[] {
  return walk(machine.files, name, posix.resolve(cwd, name));
}

function walk(files: VirtualFs, name: string, path: string): string[] {
  const inode = files.find(path, false);
  if (inode?.kind !== 'directory') return inode?.kind === 'file' ? [name] : [];
  return files.list(path).flatMap((entry) => walk(files, posix.join(name, entry), posix.join(path, entry)));
}
