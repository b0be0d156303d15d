import { parse } from 'dotenv';
import { describe, expect, test } from 'vitest';
import { mergeEnv, UnwritableValue } from './env-file.ts';

test('starts a new file with a comment', () => {
  expect(mergeEnv(undefined, { HOST: 'pve1', SSH_PORT: undefined })).toMatch(
    /^# Settings of .*\nHOST=pve1\n$/,
  );
});

test('replaces or removes lines of the same name, and keeps all others', () => {
  const before = '# mine\nHOST=old\n\nexport SSH_PORT=1\nLOG_LEVEL=debug # loud\nHOST=older\r\n';
  expect(mergeEnv(before, { HOST: 'new', SSH_PORT: undefined, SUDO: 'true' })).toBe(
    '# mine\nHOST=new\n\nLOG_LEVEL=debug # loud\nSUDO=true\n',
  );
});

describe('round-trips a value', () => {
  test.each([
    'plain',
    'with blank',
    ' at the edges ',
    'a#b',
    '$HOME $x',
    "it's",
    'say "hi"',
    'back\\slash\\n',
    `'"`,
    'é€',
    '=',
  ])('%j', (value) => {
    expect(parse(mergeEnv(undefined, { SSH_PASSWORD: value }))).toEqual({ SSH_PASSWORD: value });
  });

  test.each(['two\nlines', '\'"`'])('refuses a value that cannot be written: %j', (value) => {
    expect(() => mergeEnv(undefined, { SSH_PASSWORD: value })).toThrow(UnwritableValue);
    expect(() => mergeEnv(undefined, { SSH_PASSWORD: value })).not.toThrow(value);
  });
});
