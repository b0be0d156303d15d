import { posix } from 'node:path';
import { FileError, type Inode } from '../files/inode.ts';
import { fromBytes, toBytes } from '../kernel/bytes.ts';
import type { Machine } from '../machine.ts';
import { chunksOf } from './input.ts';
import { parseBytes, parseOptions } from './options.ts';
import { type Call, Failure, type Program } from './program.ts';

/** Programs that make, move, change and remove files. */
export const filePrograms: readonly (readonly [string, Program])[] = [
  ['mkdir', mkdir],
  [
    'rmdir',
    (call) =>
      eachName(call, parseOptions(call.args, 'p').rest, 'failed to remove', async (name) => {
        if ((await call.sys.stat(name, false)).kind !== 'directory')
          throw new FileError('ENOTDIR', 'rmdir', name);
        await call.sys.remove(name);
      }),
  ],
  ['rm', rm],
  ['mv', mv],
  ['cp', cp],
  ['ln', ln],
  ['touch', touch],
  ['chmod', chmod],
  ['chown', (call) => chown(call, false)],
  ['chgrp', (call) => chown(call, true)],
  [
    'mkfifo',
    (call) =>
      eachName(call, parseOptions(call.args, 'm:').rest, 'cannot create fifo', (name) =>
        call.sys.makeSpecial(name, 'fifo'),
      ),
  ],
  [
    'mknod',
    async (call) => {
      await call.sys.makeSpecial(call.args[0] ?? '', call.args[1] === 'p' ? 'fifo' : 'device');
      return 0;
    },
  ],
  ['mktemp', mktemp],
  ['truncate', truncate],
  ['dd', dd],
  ['sync', () => 0],
];

/** Does the work for each name, and tells where it fails: `mkdir: cannot create directory 'x': File exists`. */
async function eachName(
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

async function mkdir(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'pvm:', { long: { parents: 'p', mode: 'm' } });
  const mode = options.value('m');
  return eachName(call, options.rest, 'cannot create directory', async (name) => {
    if (options.has('p')) {
      const parts = name.split('/');
      for (let end = 1; end <= parts.length; end += 1) {
        const path = parts.slice(0, end).join('/');
        if (path === '') continue;
        const found = await call.sys.find(path);
        if (!found) await call.sys.makeDirectory(path);
        else if (found.kind !== 'directory') throw new FileError('ENOTDIR', 'mkdir', path);
      }
    } else await call.sys.makeDirectory(name);
    if (mode !== undefined)
      await call.sys.change(name, (inode) => {
        inode.mode = parseMode(mode, inode);
      });
  });
}

async function rm(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'rRfivd', { long: { recursive: 'r', force: 'f' } });
  if (options.rest.length === 0 && options.has('f')) return 0;
  const recursive = options.has('r') || options.has('R');
  return eachName(call, options.rest, 'cannot remove', async (name) => {
    const inode = options.has('f') ? await call.sys.find(name, false) : await call.sys.stat(name, false);
    if (!inode) return;
    if (inode.kind === 'directory' && !recursive) throw new FileError('EISDIR', 'rm', name);
    await call.sys.remove(name, recursive);
  });
}

/** Where `mv`, `cp` and `ln` put a file: into a directory, or at the path. */
async function targetOf(call: Call, source: string, target: string, plain: boolean): Promise<string> {
  if (plain || (await call.sys.find(target))?.kind !== 'directory') return target;
  return `${target.replace(/\/$/, '')}/${posix.basename(source)}`;
}

function splitTargets(rest: readonly string[], call: Call): { sources: readonly string[]; target: string } {
  const target = rest.at(-1);
  if (target === undefined) throw new Failure('missing file operand');
  if (rest.length < 2 && call.name !== 'ln')
    throw new Failure(`missing destination file operand after '${target}'`);
  return rest.length === 1 ? { sources: rest, target: '.' } : { sources: rest.slice(0, -1), target };
}

async function mv(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'fniTv', {
    long: { force: 'f', 'no-clobber': 'n', 'no-target-directory': 'T' },
  });
  const { sources, target } = splitTargets(options.rest, call);
  let code = 0;
  for (const source of sources) {
    const to = await targetOf(call, source, target, options.has('T'));
    try {
      const existing = await call.sys.find(to, false);
      await call.sys.stat(source, false);
      if (options.has('n') && existing) continue;
      if (existing?.kind === 'directory' && (await call.sys.find(source, false))?.kind !== 'directory')
        throw new FileError('EISDIR', 'rename', to);
      const across =
        (await call.sys.find(posix.dirname(to)))?.volume !== (await call.sys.stat(source, false)).volume;
      if (across) {
        await copy(call, source, to, true);
        await call.sys.remove(source, true);
      } else await call.sys.rename(source, to);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const missing = error.code === 'ENOENT' && (await call.sys.find(source, false)) === undefined;
      await call.warn(
        `mv: ${missing ? `cannot stat '${fromBytes(source)}'` : `cannot move '${fromBytes(source)}' to '${fromBytes(to)}'`}: ${error.text}\n`,
      );
      code = 1;
    }
  }
  return code;
}

async function cp(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'aprRfnLPTdv', {
    long: { recursive: 'r', archive: 'a', preserve: 'p', force: 'f' },
  });
  const { sources, target } = splitTargets(options.rest, call);
  const recursive = ['a', 'r', 'R'].some((letter) => options.has(letter));
  let code = 0;
  for (const source of sources) {
    const to = await targetOf(call, source, target, options.has('T'));
    try {
      const inode = await call.sys.stat(source);
      if (inode.kind === 'directory' && !recursive) {
        await call.warn(`cp: -r not specified; omitting directory '${fromBytes(source)}'\n`);
        code = 1;
      } else if (!(options.has('n') && (await call.sys.find(to))))
        await copy(call, source, to, options.has('p') || options.has('a'));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const missing = (await call.sys.find(source)) === undefined;
      await call.warn(
        `cp: ${missing ? `cannot stat '${fromBytes(source)}'` : `cannot create regular file '${fromBytes(to)}'`}: ${error.text}\n`,
      );
      code = 1;
    }
  }
  return code;
}

async function copy(call: Call, source: string, target: string, preserve: boolean): Promise<void> {
  const inode = await call.sys.stat(source, !preserve);
  if (inode.kind === 'link') return call.sys.symlink(toBytes(inode.target), target);
  if (inode.kind === 'directory') {
    if (!(await call.sys.find(target))) await call.sys.makeDirectory(target, inode.mode);
    for (const name of await call.sys.list(source))
      await copy(call, `${source}/${toBytes(name)}`, `${target}/${toBytes(name)}`, preserve);
    return;
  }
  const input = (await call.sys.open(source, { reads: true })).retain();
  const output = (
    await call.sys.open(target, { writes: true, create: true, truncate: true, mode: inode.mode })
  ).retain();
  try {
    for await (const chunk of chunksOf(call, input)) await output.write(call.process, chunk);
  } finally {
    input.release();
    output.release();
  }
  if (preserve)
    await call.sys.change(target, (made) => {
      Object.assign(made, { mode: inode.mode, uid: inode.uid, gid: inode.gid, mtime: inode.mtime });
    });
}

async function ln(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'sfnTvr', {
    long: { symbolic: 's', force: 'f', 'no-dereference': 'n' },
  });
  const { sources, target } = splitTargets(options.rest, call);
  let code = 0;
  for (const source of sources) {
    const to = await targetOf(call, source, target, options.has('T') || options.has('n'));
    try {
      if (options.has('f') && (await call.sys.find(to, false))) await call.sys.remove(to);
      if (options.has('s')) await call.sys.symlink(source, to);
      else await call.sys.link(source, to);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await call.warn(
        `ln: failed to create ${options.has('s') ? 'symbolic' : 'hard'} link '${fromBytes(to)}': ${error.text}\n`,
      );
      code = 1;
    }
  }
  return code;
}

async function touch(call: Call): Promise<number> {
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

/** A date as `date -d` and `touch -d` take it: ISO, `@seconds`, `3 days ago`, or CCYYMMDDhhmm. */
export function parseDate(text: string | undefined): Date {
  if (text === undefined || text === 'now') return new Date();
  const [, seconds] = /^@(-?\d+)$/.exec(text) ?? [];
  if (seconds !== undefined) return new Date(Number(seconds) * 1000);
  const [, sign = '', count, unit = '', ago = ''] =
    /^([-+]?)(\d+) ?(second|minute|hour|day|week)s?( ago)?$/.exec(text) ?? [];
  const lengths: Record<string, number> = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 };
  if (count !== undefined) {
    const past = ago !== '' || sign === '-';
    return new Date(Date.now() + (past ? -1 : 1) * Number(count) * (lengths[unit] ?? 0) * 1000);
  }
  const compact = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?$/.exec(text);
  const date = compact
    ? new Date(`${compact[1]}-${compact[2]}-${compact[3]}T${compact[4]}:${compact[5]}:${compact[6] ?? '00'}Z`)
    : new Date(text);
  if (Number.isNaN(date.getTime())) throw new Failure(`invalid date '${text}'`);
  return date;
}

/** `755`, `u+x`, `go-w`, `a=r`. @throws Failure */
function parseMode(text: string, inode: Inode): number {
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
    if (letters.includes('t')) mode = operator === '-' ? mode & ~0o1000 : mode | 0o1000;
  }
  return mode;
}

async function chmod(call: Call): Promise<number> {
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

async function chown(call: Call, groupOnly: boolean): Promise<number> {
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

/** The number of a user or group. @throws Failure as chown words it */
export function idOf({ files }: Pick<Machine, 'files'>, list: 'passwd' | 'group', name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const lines = files.exists(`/etc/${list}`) ? files.readText(`/etc/${list}`).split('\n') : [];
  const line = lines.find((each) => each.startsWith(`${fromBytes(name)}:`));
  if (line === undefined)
    throw new Failure(`invalid ${list === 'passwd' ? 'user' : 'group'}: '${fromBytes(name)}'`);
  return Number(line.split(':')[2]);
}

async function mktemp(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'dp:tuq', { long: { directory: 'd', tmpdir: 'p' } });
  const [template] = options.rest;
  const directory = options.value('p') ?? (options.has('t') || template === undefined ? '/tmp' : undefined);
  const name = (template ?? 'tmp.XXXXXXXXXX').replace(/X{3,}(?!.*X{3})/, (xs) =>
    Array.from(xs, () => 'abcdefghijklmnopqrstuvwxyz0123456789'[Math.floor(Math.random() * 36)]).join(''),
  );
  const path = directory === undefined ? name : `${directory}/${name}`;
  if (options.has('d')) await call.sys.makeDirectory(path, 0o700);
  else await call.sys.open(path, { writes: true, create: true, exclusive: true, mode: 0o600 });
  await call.printBytes(`${path}\n`);
  return 0;
}

async function truncate(call: Call): Promise<number> {
  const options = parseOptions(call.args, 's:c', { long: { size: 's' } });
  const size = parseBytes(options.value('s') ?? '');
  if (size === undefined) throw new Failure('you must specify either --size or --reference');
  return eachName(call, options.rest, 'cannot open', async (name) => {
    await call.sys.open(name, { writes: true, create: true });
    call.machine.files.truncate(call.sys.absolute(name), size);
  });
}

async function dd(call: Call): Promise<number> {
  const operands = new Map(
    call.args.map((arg) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]),
  );
  const size = parseBytes(operands.get('bs') ?? '512') ?? 512;
  const count = operands.has('count')
    ? (parseBytes(operands.get('count') ?? '') ?? 0)
    : Number.POSITIVE_INFINITY;
  const [input, output] = [operands.get('if'), operands.get('of')];
  const from = (
    input === undefined ? call.process.fds.get(0) : await call.sys.open(input, { reads: true })
  ).retain();
  const keep = operands.get('conv')?.includes('notrunc') === true;
  const to = (
    output === undefined
      ? call.process.fds.get(1)
      : await call.sys.open(output, { writes: true, create: true, truncate: !keep })
  ).retain();
  let [blocks, bytes] = [0, 0];
  let problem: FileError | undefined;
  try {
    for (let skip = Number(operands.get('skip') ?? 0); skip > 0; skip -= 1)
      await from.read(call.process, size);
    for (; blocks < count; blocks += 1) {
      const chunk = await from.read(call.process, size);
      if (chunk.length === 0) break;
      await to.write(call.process, chunk);
      bytes += chunk.length;
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    problem = error;
  }
  from.release();
  to.release();
  if (problem) await call.warn(`dd: error writing '${output ?? 'standard output'}': ${problem.text}\n`);
  if (operands.get('status') !== 'none')
    await call.warn(`${blocks}+0 records in\n${blocks}+0 records out\n${bytes} bytes copied\n`);
  return problem ? 1 : 0;
}
