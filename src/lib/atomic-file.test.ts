import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFileAtomically, writeFileAtomically } from './atomic-file.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'atomic-file-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

test('replaces a file and its permissions, and leaves no temporary file', async () => {
  const dir = await mkdtemp(path.join(root, 'replace-'));
  const file = path.join(dir, 'a');
  await writeFile(file, 'old', { mode: 0o644 });
  await writeFileAtomically(file, 'new', 0o600);
  expect([await readFile(file, 'utf8'), await modeOf(file)]).toEqual(['new', 0o600]);
  await writeFileAtomically(file, Buffer.from('newer'), 0o666);
  expect([await readFile(file, 'utf8'), await modeOf(file)]).toEqual(['newer', 0o666]);
  expect(await readdir(dir)).toEqual(['a']);
});

test('keeps a file that cannot be replaced, and leaves no temporary file', async () => {
  const dir = await mkdtemp(path.join(root, 'fail-'));
  const file = path.join(dir, 'a');
  await mkdir(path.join(file, 'below'), { recursive: true });
  await expect(writeFileAtomically(file, 'new', 0o600)).rejects.toThrow();
  expect(await readdir(dir)).toEqual(['a']);
  expect(await readdir(file)).toEqual(['below']);
});

test('creates a file once, and never replaces one', async () => {
  const dir = await mkdtemp(path.join(root, 'create-'));
  const file = path.join(dir, 'a');
  const created = await Promise.all(
    ['x', 'y', 'z'].map((content) => createFileAtomically(file, content, 0o600)),
  );
  expect(created.filter(Boolean)).toHaveLength(1);
  expect(['x', 'y', 'z']).toContain(await readFile(file, 'utf8'));
  expect(await createFileAtomically(file, 'later', 0o600)).toBe(false);
  expect(await readFile(file, 'utf8')).not.toBe('later');
  expect(await readdir(dir)).toEqual(['a']);
});
