import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkLocalPath, contains, dotName } from './local-path.ts';

describe('contains', () => {
  test.each([
    ['/data', '/data/file', true],
    ['/data', '/data/sub/file', true],
    ['/data', '/data/..file', true],
    ['/data', '/data/...', true],
    ['/', '/etc/passwd', true],
    ['/data', '/data', false],
    ['/data', '/data-x/file', false],
    ['/data', '/dat', false],
    ['/data', '/', false],
    ['/data', '/etc/data/file', false],
    ['/data/sub', '/data/file', false],
    ['/data', '/DATA/file', false],
  ])('%s contains %s: %s', (dir, file, inside) => {
    expect(contains(dir, file)).toBe(inside);
  });

  const name = fc.stringMatching(/^[^/\0]{1,20}$/).filter((text) => text !== '.' && text !== '..');
  const absolute = fc.array(name, { maxLength: 4 }).map((names) => `/${names.join('/')}`);

  test('is true for every path below the directory', () => {
    fc.assert(
      fc.property(absolute, fc.array(name, { minLength: 1, maxLength: 3 }), (dir, below) => {
        expect(contains(dir, path.join(dir, ...below))).toBe(true);
      }),
    );
  });

  test('is false unless the path begins with the directory and a separator', () => {
    fc.assert(
      fc.property(absolute, absolute, (dir, file) => {
        const below = dir === '/' ? dir : `${dir}/`;
        expect(contains(dir, file)).toBe(file.startsWith(below) && file !== dir);
      }),
    );
  });
});

test.each(['a.', 'a ', 'sub./a', 'policy.yaml. ', 'a:b', 'C:a', 'sub\\'])(
  'refuses %j on Windows, where it could name another file',
  (name) => {
    expect(() => checkLocalPath(name, 'win32')).toThrow(/local path/);
    expect(() => checkLocalPath(name, 'linux')).not.toThrow();
  },
);

test.each(['./a', 'C:\\files\\a.txt', 'a..b', 'sub/a'])('accepts %j on Windows', (name) => {
  expect(() => checkLocalPath(name, 'win32')).not.toThrow();
});

test.each([
  ['/t/.git/hooks/x', '.git'],
  ['/t/a/.env', '.env'],
  ['/t/\u200D.git/x', '\u200D.git'],
  ['/t/a.b/c.', undefined],
])('finds the first hidden name of %j: %j', (file, name) => {
  expect(dotName('/t', file)).toBe(name);
});
