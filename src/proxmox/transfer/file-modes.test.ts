import { expect, test } from 'vitest';
import { downloadMode, uploadMode } from './file-modes.ts';

test.each<[number, NodeJS.Platform, string]>([
  [0o100644, 'linux', '644'],
  [0o100777, 'linux', '644'],
  [0o100600, 'linux', '600'],
  [0o100640, 'darwin', '640'],
  [0o100444, 'linux', '444'],
  [0o100666, 'win32', '644'],
  [0o100444, 'win32', '644'],
])('uploads a local file of mode %o on %s with %s', (source, platform, mode) => {
  expect(uploadMode(source, platform)).toBe(mode);
});

test.each([
  ['640', 0o022, 0o640],
  ['640', 0o077, 0o600],
  ['755', 0o022, 0o755],
  ['4755', 0o022, 0o755],
  ['666', 0o022, 0o644],
  ['0', 0o022, 0o400],
  ['777', 0o777, 0],
])('downloads a remote file of mode %s under umask %o with %o', (remote, umask, mode) => {
  expect(downloadMode(remote, umask)).toBe(mode);
});

test.each([undefined, '', '888', '-1', '0o777', '77777', '644 '])(
  'downloads a file with the invalid mode %j for its owner only',
  (remote) => {
    expect(downloadMode(remote, 0)).toBe(0o600);
  },
);
