import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readStateKey } from './state-key.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'state-key-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('uses the configured key, or generates one that all processes of the directory share', async () => {
  const stateKey = 'x'.repeat(40);
  expect(Buffer.from(await readStateKey({ stateKey, stateDir: root })).toString()).toBe(stateKey);
  const stateDir = path.join(root, 'state');
  const [one, other] = await Promise.all([readStateKey({ stateDir }), readStateKey({ stateDir })]);
  expect(one).toHaveLength(32);
  expect(Buffer.from(one).equals(Buffer.from(other))).toBe(true);
  expect((await readFile(path.join(stateDir, 'state-key'), 'utf8')).trim()).toBe(
    Buffer.from(one).toString('base64url'),
  );
});

test('names the setting when no key can be stored', async () => {
  const file = path.join(root, 'a-file');
  await writeFile(file, '');
  await expect(readStateKey({ stateDir: file })).rejects.toMatchObject({
    code: 'STATE_UNAVAILABLE',
    hint: {
      model: expect.stringContaining('STATE_KEY_FILE'),
      person: expect.stringContaining('STATE_KEY_FILE'),
    },
  });
});
