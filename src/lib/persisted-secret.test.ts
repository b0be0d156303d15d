import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { persistedSecret } from './persisted-secret.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'kept-secret-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('is created once, readable by its owner only, and reused', async () => {
  const dir = path.join(root, 'state');
  const first = await persistedSecret(dir, 'a-secret');
  expect(first).toEqual({
    text: expect.stringMatching(/^[\w-]{43}$/),
    file: path.join(dir, 'a-secret'),
    isNew: true,
  });
  expect((await stat(first.file)).mode & 0o777).toBe(0o600);
  expect(await readFile(first.file, 'utf8')).toBe(`${first.text}\n`);
  expect(await persistedSecret(dir, 'a-secret')).toEqual({ ...first, isNew: false });
});

test('is agreed on by servers that start together, one of which reports it as new', async () => {
  const dir = path.join(root, 'together');
  const all = await Promise.all(Array.from({ length: 20 }, () => persistedSecret(dir, 'a-secret')));
  expect(new Set(all.map(({ text }) => text)).size).toBe(1);
  expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
  expect(await readdir(dir)).toEqual(['a-secret']);
});

test.each([
  ['does not contain a valid secret', async (file: string) => writeFile(file, '\n')],
  ['can be read by other users', async (file: string) => chmod(file, 0o640)],
])('rejects a file that %s', async (problem, spoil) => {
  const dir = path.join(root, problem.replaceAll(' ', '-'));
  const { file } = await persistedSecret(dir, 'a-secret');
  await spoil(file);
  await expect(persistedSecret(dir, 'a-secret')).rejects.toThrow(problem);
});
