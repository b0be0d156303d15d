import { expect, test } from 'vitest';
import { styleFor } from '../../output/output.ts';
import { changeText } from './init-text.ts';

const show = (before: string | undefined, after: string) =>
  changeText({ file: '/x', before, after, mode: 0o600, secret: false }, styleFor(false));

test('shows a new file, and a change with its context', () => {
  expect(show(undefined, 'a\nb\n')).toBe('/x (new)\n+ a\n+ b');
  expect(show('1\n2\n3\n4\n5\n6\n', '1\n2\n3\nx\n5\n6\n')).toBe('/x\n  2\n  3\n- 4\n+ x\n  5\n  6');
});

test.each([
  'SSH_PASSWORD=hunter2',
  'SSH_KEY_PASSPHRASE="hunter2 and more"',
  '  "API_KEY": "hunter2",',
  '"env": { "GITHUB_TOKEN": "hunter2" }',
])('hides secrets, including removed ones: %s', (line) => {
  expect(show(`${line}\n`, 'nothing\n')).not.toContain('hunter2');
  expect(show('nothing\n', `${line}\n`)).toContain('••••••');
});
