import { execFileSync } from 'node:child_process';
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../src/lib/errors.ts';
import { HAS_PROC_FD } from '../../src/proxmox/transfer/confined-dir.ts';
import { LocalPart } from '../../src/proxmox/transfer/partial-file.ts';
import { TransferDirs } from '../../src/proxmox/transfer/transfer-dirs.ts';
import { exchange } from './exchange-dir.ts';

const NOTHING = { files: [], program: [] };

let base = '';
/** The transfer directory, and a directory outside. */
let inside = '';
let outside = '';
beforeEach(async () => {
  base = await realpath(await mkdtemp(path.join(tmpdir(), 'transfer-dirs-')));
  inside = path.join(base, 'inside');
  outside = path.join(base, 'outside');
  await mkdir(inside);
  await mkdir(outside);
  await writeFile(path.join(outside, 'file'), 'secret');
});
afterEach(() => rm(base, { recursive: true, force: true }));

const within = (...names: string[]) => path.join(inside, ...names);

/** The content that a transfer of that path would read, or the code of the refusal. */
async function read(dirs: TransferDirs, localPath: string): Promise<string> {
  try {
    const { handle } = await dirs.openSource(localPath);
    return await handle.readFile('utf8').finally(() => handle.close());
  } catch (error) {
    return codeOf(error);
  }
}

/** Writes "new" to that path, as a download does. @returns "written", or the code of the refusal */
async function write(dirs: TransferDirs, localPath: string): Promise<string> {
  try {
    const part = await LocalPart.create(await dirs.findDestination(localPath, true));
    return await finish(part);
  } catch (error) {
    return codeOf(error);
  }
}

async function finish(part: LocalPart): Promise<string> {
  try {
    await part.write(Buffer.from('new'));
    await part.digest(3, () => {});
    await part.publish(true);
    return 'written';
  } catch (error) {
    await part.discard();
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof AppError) return error.code;
  throw error;
}

async function both(dirs: TransferDirs, localPath: string): Promise<readonly string[]> {
  return [await read(dirs, localPath), await write(dirs, localPath)];
}

const REFUSED = ['PATH_OUTSIDE_TRANSFER_DIRS', 'PATH_OUTSIDE_TRANSFER_DIRS'];

/** Runs `work` 400 times while another process replaces a directory with a link, and back. */
async function whileExchanged(dir: string, target: string, work: () => Promise<string>): Promise<string[]> {
  const stop = await exchange(dir, target);
  try {
    const seen: string[] = [];
    for (let count = 0; count < 400; count += 1) seen.push(await work());
    return seen;
  } finally {
    await stop();
  }
}

const WAYS = [
  ['relative to the open directory', true],
  ['by path, compared before and after', false],
] as const;

describe.each(WAYS.filter(([, byHandle]) => HAS_PROC_FD || !byHandle))('files named %s', (_, byHandle) => {
  const transferDirs = () => new TransferDirs([inside], NOTHING, byHandle);

  test('400 reads never leave a directory that is repeatedly replaced by a symlink', async () => {
    await mkdir(within('sub'));
    await writeFile(within('sub', 'file'), 'content');
    const dirs = transferDirs();
    const seen = await whileExchanged(within('sub'), outside, () => read(dirs, 'sub/file'));
    expect(seen).not.toContain('secret');
    expect(await read(dirs, 'sub/file')).toBe('content');
  });

  test('400 writes never leave a directory that is repeatedly replaced by a symlink', async () => {
    await mkdir(within('sub', 'deep'), { recursive: true });
    await mkdir(path.join(outside, 'deep'));
    const dirs = transferDirs();
    await whileExchanged(within('sub'), outside, () => write(dirs, 'sub/deep/new'));
    expect(await readdir(outside, { recursive: true })).toEqual(['deep', 'file']);
    expect(await write(dirs, 'sub/deep/new')).toBe('written');
  });

  test.each(['', 'deep'])(
    'a directory replaced before the first byte is not followed: sub/%s',
    async (deep) => {
      await mkdir(within('sub', deep), { recursive: true });
      await mkdir(path.join(outside, deep), { recursive: true });
      const destination = await transferDirs().findDestination(path.join('sub', deep, 'new'), true);
      await rename(within('sub'), within('away'));
      await symlink(outside, within('sub'));
      await expect(LocalPart.create(destination)).rejects.toBeInstanceOf(AppError);
      expect(await readdir(path.join(outside, deep))).toEqual(deep === '' ? ['file'] : []);
    },
  );

  test.each(['', 'deep'])('a directory replaced during a transfer is not followed: sub/%s', async (deep) => {
    await mkdir(within('sub', deep), { recursive: true });
    await mkdir(path.join(outside, deep), { recursive: true });
    const destination = await transferDirs().findDestination(path.join('sub', deep, 'new'), true);
    const part = await LocalPart.create(destination);
    await rename(within('sub'), within('away'));
    await symlink(outside, within('sub'));
    expect(await finish(part)).toBe(byHandle ? 'written' : 'PATH_OUTSIDE_TRANSFER_DIRS');
    expect(await readdir(path.join(outside, deep))).toEqual(deep === '' ? ['file'] : []);
    if (byHandle) expect(await readdir(within('away', deep))).toEqual(['new']);
  });

  test('a file replaced by a symlink during a transfer is replaced, not followed', async () => {
    await writeFile(within('new'), 'old');
    const part = await LocalPart.create(await transferDirs().findDestination('new', true));
    await unlink(within('new'));
    await symlink(path.join(outside, 'file'), within('new'));
    expect(await finish(part)).toBe('written');
    expect(await readFile(within('new'), 'utf8')).toBe('new');
    expect(await readFile(path.join(outside, 'file'), 'utf8')).toBe('secret');
  });

  test('a nested transfer directory replaced by a symlink is refused', async () => {
    await mkdir(within('nested'));
    await writeFile(within('nested', 'file'), 'content');
    const dirs = new TransferDirs([inside, within('nested')], NOTHING, byHandle);
    expect(await read(dirs, within('nested', 'file'))).toBe('content');
    await rm(within('nested'), { recursive: true });
    await symlink(outside, within('nested'));
    expect(await both(dirs, within('nested', 'file'))).toEqual(REFUSED);
  });
});

test('errors do not reveal which files exist outside', async () => {
  const dirs = new TransferDirs([inside], NOTHING);
  await symlink(outside, within('link'));
  await symlink(path.join(outside, 'file'), within('file-link'));
  await symlink(path.join(outside, 'missing'), within('missing-link'));
  await mkdir(path.join(outside, 'shut'));
  const named = ['file', 'missing', 'missing/file', 'file/file', 'shut/file', ''];
  for (const file of [
    ...named.map((name) => path.join(outside, name)),
    ...named.map((name) => path.join('link', name)),
    'file-link',
    'missing-link',
    'missing-link/file',
    '/etc/passwd',
    '/no/such/file',
  ]) {
    expect(await both(dirs, file), file).toEqual(REFUSED);
  }
  expect(await both(dirs, 'missing')).toEqual(['SOURCE_NOT_FOUND', 'written']);
});

test('refuses names with a leading dot inside a transfer directory, but not in its own path', async () => {
  const hidden = within('.config', 'files');
  await mkdir(within('.git', 'hooks'), { recursive: true });
  await mkdir(path.join(hidden, '.ssh'), { recursive: true });
  await symlink(path.join('.git', 'hooks'), within('hooks'));
  const dirs = new TransferDirs([inside, hidden], NOTHING);
  for (const name of [
    '.envrc',
    '.git/hooks/post-checkout',
    'hooks/post-checkout',
    path.join(hidden, '.ssh', 'config'),
    '\u200C.envrc',
  ]) {
    expect(await both(dirs, name), name).toEqual(REFUSED);
  }
  expect(await both(dirs, path.join(hidden, 'a'))).toEqual(['SOURCE_NOT_FOUND', 'written']);
  expect(await both(dirs, './a.b')).toEqual(['SOURCE_NOT_FOUND', 'written']);
});

test('accepts the root directory as transfer directory', async () => {
  await writeFile(within('file'), 'content');
  expect(await both(new TransferDirs(['/'], NOTHING), within('file'))).toEqual(['content', 'written']);
});

test('creates the first directory for its owner only', async () => {
  const made = path.join(base, 'made');
  expect(await write(new TransferDirs([made, inside], NOTHING), 'a')).toBe('written');
  expect((await stat(made)).mode & 0o777).toBe(0o700);
});

describe('reserved files', () => {
  const reserving = (...files: string[]) => new TransferDirs([inside], { files, program: [] });

  test('are refused while they are missing, by any path', async () => {
    await mkdir(within('rules'));
    await symlink(within('rules'), path.join(base, 'linked'));
    await symlink(within('rules', 'dangling'), path.join(base, 'policy-link'));
    const dirs = reserving(
      path.join(base, 'linked', 'policy.yaml'),
      path.join(base, 'linked', 'state', 'keys'),
      path.join(base, 'policy-link'),
    );
    await mkdir(within('rules', 'state'));
    for (const name of ['rules/policy.yaml', 'rules/dangling', 'rules/state/keys']) {
      expect(await both(dirs, name), name).toEqual(REFUSED);
    }
    expect(await write(dirs, 'rules/other')).toBe('written');
  });

  test('are refused through a hard link', async () => {
    const state = path.join(base, 'state');
    await mkdir(path.join(state, 'deeper'), { recursive: true });
    await writeFile(path.join(state, 'deeper', 'audit.key'), 'key');
    await writeFile(path.join(base, 'rules.yaml'), 'rules');
    await writeFile(path.join(base, 'another'), 'content');
    const dirs = reserving(state, path.join(base, 'rules.yaml'));
    await link(path.join(state, 'deeper', 'audit.key'), within('a'));
    await link(path.join(base, 'rules.yaml'), within('b'));
    await link(path.join(base, 'another'), within('c'));
    expect(await both(dirs, 'a')).toEqual(REFUSED);
    expect(await both(dirs, 'b')).toEqual(REFUSED);
    expect(await both(dirs, 'c')).toEqual(['content', 'written']);
  });

  test.runIf(process.getuid?.() === 0 && process.platform === 'linux')(
    'are refused through a second mount of their directory',
    async () => {
      const state = path.join(base, 'state');
      for (const dir of [path.join(state, 'deeper'), within('mounted')])
        await mkdir(dir, { recursive: true });
      await writeFile(path.join(state, 'deeper', 'file'), 'key');
      execFileSync('mount', ['--bind', state, within('mounted')]);
      try {
        expect(await both(reserving(state), 'mounted/deeper/file')).toEqual(REFUSED);
        expect(await both(reserving(state), 'mounted/new')).toEqual(REFUSED);
      } finally {
        execFileSync('umount', [within('mounted')]);
      }
    },
  );

  test('are refused by a name in another case', async () => {
    await mkdir(within('State'));
    expect(await both(reserving(within('state')), 'State/file')).toEqual(REFUSED);
  });
});

test('limits the mode of an upload to that of the local file', async () => {
  const dirs = new TransferDirs([inside], NOTHING);
  await writeFile(within('key'), 'x');
  for (const [mode, expected] of [
    [0o600, '600'],
    [0o666, '644'],
    [0o440, '440'],
  ] as const) {
    await chmod(within('key'), mode);
    const { handle, uploadMode } = await dirs.openSource('key');
    await handle.close();
    expect(uploadMode).toBe(expected);
  }
});
