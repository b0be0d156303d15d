import { FileError, type Inode } from '../files/inode.ts';
import { fromBytes, toBytes } from '../kernel/bytes.ts';
import type { Machine } from '../machine.ts';
import { parseDate } from './date.ts';
import { parseOptions } from './options.ts';
import { type Call, Failure } from './program.ts';

/** Runs the work for each name, and reports errors: `mkdir: cannot create directory 'x': File exists`. */
export async function eachName(
  call: Call,
  names: readonly string[],
  what: string,
  work: (name: string) => Promise<void>,
): Promise<number> {
  if (names.length === 0) throw new Failure('missing operand');
  let code = 0;
  for (const name of names) {
    try {
      await work(name);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await call.warn(`${call.name}: ${what} '${fromBytes(name)}': ${error.text}\n`);
      code = 1;
    }
  }
  return code;
}

export async function touch(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'acmd:t:r:h', {
    long: { date: 'd', reference: 'r', 'no-create': 'c' },
  });
  const reference = options.value('r');
  const time =
    reference !== undefined
      ? (await call.sys.stat(reference)).mtime
      : parseDate(options.value('d') ?? options.value('t'));
  return eachName(call, options.rest, 'cannot touch', async (name) => {
    if (!(await call.sys.find(name))) {
      if (options.has('c')) return;
      await call.sys.open(name, { writes: true, create: true });
    }
    await call.sys.change(name, (inode) => {
      inode.mtime = time;
    });
  });
}

/** `755`, `u+x`, `go-w`, `a=r`. @throws Failure */
export function parseMode(text: string, inode: Inode): number {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  let { mode } = inode;
  for (const part of text.split(',')) {
    const [, who = '', operator, letters = ''] = /^([ugoa]*)([-+=])([rwxXst]*)$/.exec(part) ?? [];
    if (operator === undefined) throw new Failure(`invalid mode: '${text}'`);
    const bits = [...letters].reduce(
      (sum, letter) =>
        sum |
        ({ r: 4, w: 2, x: 1, X: inode.kind === 'directory' || (inode.mode & 0o111) !== 0 ? 1 : 0 }[letter] ??
          0),
      0,
    );
    for (const [name, shift] of [
      ['u', 6],
      ['g', 3],
      ['o', 0],
    ] as const) {
      if (who !== '' && !who.includes('a') && !who.includes(name)) continue;
      if (operator === '=') mode &= ~(7 << shift);
      mode = operator === '-' ? mode & ~(bits << shift) : mode | (bits << shift);
    }
    if (letters.includes('s')) {
      const bits = (/[ua]|^$/.test(who) ? 0o4000 : 0) | (/[ga]|^$/.test(who) ? 0o2000 : 0);
      mode = operator === '-' ? mode & ~bits : mode | bits;
    }
    if (letters.includes('t')) mode = operator === '-' ? mode & ~0o1000 : mode | 0o1000;
  }
  return mode;
}

export async function chmod(call: Call): Promise<number> {
  const minus = /^-[rwxXst]/.test(call.args[0] ?? '');
  const options = minus
    ? { rest: call.args, has: () => false }
    : parseOptions(call.args, 'Rfvc', { long: { recursive: 'R' } });
  const [mode, ...names] = options.rest;
  if (mode === undefined) throw new Failure('missing operand');
  return eachName(call, names, 'cannot access', (name) =>
    changeAll(call, name, options.has('R'), (inode) => {
      inode.mode = parseMode(mode, inode);
    }),
  );
}

export async function chown(call: Call, groupOnly: boolean): Promise<number> {
  const options = parseOptions(call.args, 'RhfvcL', { long: { recursive: 'R', 'no-dereference': 'h' } });
  const [spec = '', ...names] = options.rest;
  const [user = '', group = ''] = groupOnly ? ['', spec] : spec.split(':');
  const uid = user === '' ? undefined : idOf(call.machine, 'passwd', user);
  const gid = group === '' ? undefined : idOf(call.machine, 'group', group);
  return eachName(call, names, 'cannot access', async (name) => {
    if (call.process.uid !== 0 && uid !== undefined && uid !== call.process.uid)
      throw new FileError('EPERM', 'chown', name);
    await changeAll(call, name, options.has('R'), (inode) => {
      if (uid !== undefined) inode.uid = uid;
      if (gid !== undefined) inode.gid = gid;
    });
  });
}

async function changeAll(
  call: Call,
  name: string,
  recursive: boolean,
  change: (inode: Inode) => void,
): Promise<void> {
  await call.sys.change(name, change);
  if (!recursive || (await call.sys.find(name))?.kind !== 'directory') return;
  for (const entry of await call.sys.list(name))
    await changeAll(call, `${name}/${toBytes(entry)}`, true, change);
}

/** The ID of a user or group. @throws Failure with the message of chown */
export function idOf({ files }: Pick<Machine, 'files'>, list: 'passwd' | 'group', name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const lines = files.exists(`/etc/${list}`) ? files.readText(`/etc/${list}`).split('\n') : [];
  const line = lines.find((each) => each.startsWith(`${fromBytes(name)}:`));
  if (line === undefined)
    throw new Failure(`invalid ${list === 'passwd' ? 'user' : 'group'}: '${fromBytes(name)}'`);
  return Number(line.split(':')[2]);
}
