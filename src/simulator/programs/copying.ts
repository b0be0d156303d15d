import { posix } from 'node:path';
import { FileError } from '../files/inode.ts';
import { fromBytes, toBytes } from '../kernel/bytes.ts';
import { chunksOf } from './input.ts';
import { parseOptions } from './options.ts';
import { type Call, Failure } from './program.ts';

/** The path to which `mv`, `cp` and `ln` write: inside the target if it is a directory, otherwise the target. */
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

export async function mv(call: Call): Promise<number> {
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

export async function cp(call: Call): Promise<number> {
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

export async function ln(call: Call): Promise<number> {
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
