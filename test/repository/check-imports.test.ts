import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { findCommonNames, findViolations } from '../../scripts/check-imports.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'imports-'));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

function violationsOf(file: string, content: string): string[] {
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
  fs.writeFileSync(path.join(root, file), content);
  return findViolations(root);
}

test('the sources conform to the table', () => {
  expect(findViolations(fileURLToPath(new URL('../../src', import.meta.url)))).toEqual([]);
});

test('file names in src are unique', () => {
  expect(findCommonNames(fileURLToPath(new URL('../../src', import.meta.url)))).toEqual([]);
});

test('reports two files with the same name', () => {
  fs.rmSync(root, { recursive: true, force: true });
  for (const file of [
    'lib/run.ts',
    'ssh/run.ts',
    'lib/index.ts',
    'ssh/index.ts',
    'lib/a.test.ts',
    'ssh/a.test.ts',
  ]) {
    fs.mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), '');
  }
  expect(findCommonNames(root)).toEqual(['src/ssh/run.ts has the same name as src/lib/run.ts']);
});

test.each([
  ['lib/a.ts', "import { x } from '../ssh/pool.ts';"],
  ['ssh/a.ts', "import type { X } from '../proxmox/proxmox-types.ts';"],
  ['ssh/deep/a.ts', "export * from '../../proxmox/proxmox-types.ts';"],
  ['proxmox/a.ts', "import {\n  a,\n  b,\n} from '../tools/index.ts';"],
  ['proxmox/a.ts', "const a = await import('../server/stdio.ts');"],
  ['tools/a.ts', "import '../server/stdio.ts';"],
  ['server/a.ts', "import { loadConfig } from '../config/load.ts';"],
  ['config/a.ts', "import { x } from '../ssh/pool.ts';"],
  ['governance/a.ts', "import { TOOLS } from '../tools/index.ts';"],
  ['simulator/a.ts', "import { quote } from '../remote/session-requests.ts';"],
  ['cli/serve.ts', "import { start } from '../simulator/simulator.ts';"],
  ['lib/a.ts', "import { x } from '../../test/x.ts';"],
  ['lib/a.test.ts', "import { x } from '../../test/x.ts';"],
  ['newcomer/a.ts', ''],
])('%s: rejects %s', (file, content) => {
  const violations = violationsOf(file, content);
  expect(violations).toHaveLength(1);
  expect(violations[0]).toMatch(new RegExp(`^src/${file}:`));
});

test.each([
  [
    'ssh/a.ts',
    "import { AppError } from '../lib/errors.ts';\nimport { b } from './b.ts';\nimport fs from 'node:fs';",
  ],
  ['config/a.ts', "import type { SshTarget } from '../ssh/ssh-types.ts';"],
  ['governance/a.ts', "import type { Tool } from '../tools/tool.ts';"],
  ['cli/commands/demo/demo.ts', "import { start } from '../../../simulator/simulator.ts';"],
  ['lib/a.test.ts', "import { x } from '../ssh/pool.ts';"],
])('%s: accepts %s', (file, content) => {
  expect(violationsOf(file, content)).toEqual([]);
});
