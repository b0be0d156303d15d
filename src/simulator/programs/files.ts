import { FileError } from '../files/inode.ts';
import { chmod, chown, eachName, parseMode, touch } from './attributes.ts';
import { cp, ln, mv } from './copying.ts';
import { dd } from './dd.ts';
import { parseBytes, parseOptions } from './options.ts';
import { type Call, Failure, type Program } from './program.ts';

/** Programs that create, move, change and remove files. */
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

async function mkdir(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'pvm:', { long: { parents: 'p', mode: 'm' } });
  const mode = options.value('m');
  return eachName(call, options.rest, 'cannot create directory', async (name) => {
    if (options.has('p')) {
      const parts = name.split('/');
      for (let end = 1; end <= parts.length; end += 1) {
        const path = parts.slice(0, end).join('/');
        if (path === '') continue;
        // Tried first: another process may create it after a look.
        await call.sys.makeDirectory(path).catch(async (error: unknown) => {
          const found = await call.sys.find(path);
          if (found === undefined) throw error;
          if (found.kind !== 'directory') throw new FileError('ENOTDIR', 'mkdir', path);
        });
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
