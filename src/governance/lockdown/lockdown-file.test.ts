import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LockdownFile } from './lockdown-file.ts';

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'lockdown-'));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

test('reports no lockdown without a file or without STATE_DIR', async () => {
  expect(await new LockdownFile(stateDir).read()).toBeUndefined();
  expect(await new LockdownFile(path.join(stateDir, 'missing')).read()).toBeUndefined();
});

test('stays in force until it expires or is lifted', async () => {
  const file = new LockdownFile(stateDir);
  await file.write({ until: 60_000 });
  expect(await file.read(59_999)).toEqual({ until: 60_000 });
  expect(await file.read(60_000)).toBeUndefined();
  await file.write({ until: null });
  expect(await file.read(Number.MAX_SAFE_INTEGER)).toEqual({ until: null });
  await file.lift();
  expect(await file.read()).toBeUndefined();
});

test.each(['', 'tomorrow', '-1', '1e3', '12 34'])('locks down on the file content %j', async (text) => {
  await writeFile(path.join(stateDir, 'lockdown'), text);
  expect(await new LockdownFile(stateDir).read()).toEqual({ until: null });
});

test('locks down when the file cannot be read', async () => {
  await mkdir(path.join(stateDir, 'lockdown'));
  expect(await new LockdownFile(stateDir).read()).toEqual({ until: null });
  await writeFile(path.join(stateDir, 'file'), '');
  expect(await new LockdownFile(path.join(stateDir, 'file')).read()).toEqual({ until: null });
});
