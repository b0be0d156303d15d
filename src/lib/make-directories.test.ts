import { lstat, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDirectories } from './make-directories.ts';

let base: string;
beforeAll(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'directories-'));
});
afterAll(() => rm(base, { recursive: true }));

describe('makeDirectories', () => {
  test('creates missing parents with the mode, and returns the first one', async () => {
    const dir = path.join(base, 'a', 'b', 'c');
    expect(await makeDirectories(dir, 0o700)).toBe(path.join(base, 'a'));
    for (const each of [dir, path.dirname(dir)]) {
      expect((await lstat(each)).mode & 0o777).toBe(0o700);
    }
    expect(await makeDirectories(dir, 0o700)).toBeUndefined();
    expect(await makeDirectories(path.join(dir, 'd'), 0o700)).toBe(path.join(dir, 'd'));
  });

  test('accepts a link to a directory, and the root', async () => {
    await mkdir(path.join(base, 'real'));
    await symlink('real', path.join(base, 'link'));
    expect(await makeDirectories(path.join(base, 'link'), 0o700)).toBeUndefined();
    expect(await makeDirectories('/', 0o700)).toBeUndefined();
  });

  test('throws where a file or a dangling link is in the way', async () => {
    await writeFile(path.join(base, 'file'), '');
    await symlink('nowhere', path.join(base, 'dangling'));
    await expect(makeDirectories(path.join(base, 'file'), 0o700)).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeDirectories(path.join(base, 'file', 'x'), 0o700)).rejects.toMatchObject({
      code: 'ENOTDIR',
    });
    await expect(makeDirectories(path.join(base, 'dangling'), 0o700)).rejects.toMatchObject({
      code: 'EEXIST',
    });
    await expect(makeDirectories(path.join(base, 'dangling', 'x'), 0o700)).rejects.toMatchObject({
      code: 'EEXIST',
    });
  });

  test.skipIf(process.platform !== 'linux')('ends where the system refuses any directory', async () => {
    await expect(makeDirectories('/proc/no-such/directory', 0o700)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
