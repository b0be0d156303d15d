import { describe, expect, test } from 'vitest';
import { decodeText, encodeLike, hasUtf16 } from './decode-text.ts';

const TEXT = 'HOST=192.0.2.7\r\n# Büro 日本\r\n';
const little = Buffer.from(TEXT, 'utf16le');
const big = Buffer.from(little).swap16();
const LE = Buffer.from([0xff, 0xfe]);
const BE = Buffer.from([0xfe, 0xff]);
const join = (...parts: Buffer[]) => Buffer.concat(parts);

describe('decodeText', () => {
  test.each([
    ['UTF-8', Buffer.from(TEXT)],
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${TEXT}`)],
    ['UTF-16LE with a byte order mark', join(LE, little)],
    ['UTF-16BE with a byte order mark', join(BE, big)],
    ['UTF-16LE without one', little],
    ['UTF-16BE without one', big],
  ])('reads %s', (_name, bytes) => {
    expect(decodeText(bytes)).toBe(TEXT);
  });

  test('reads UTF-16 that PowerShell appended to a UTF-8 file', () => {
    expect(decodeText(join(Buffer.from('# Büro\nSSH_PORT=22\n'), little))).toBe(
      `# Büro\nSSH_PORT=22\n${TEXT}`,
    );
  });

  test('drops an incomplete character at the end', () => {
    expect(decodeText(join(LE, little, Buffer.from('a')))).toBe(TEXT);
  });

  test('reads invalid text as UTF-8', () => {
    expect(decodeText(Buffer.from([0x30, 0x82, 0, 0, 0, 0, 0x41]))).toContain('\0');
    expect(decodeText(Buffer.alloc(0))).toBe('');
  });
});

test.each([
  [Buffer.from('plain'), false],
  [Buffer.from('\uFEFFplain'), false],
  [Buffer.from([0x30, 0x82, 0, 0, 0, 0]), false],
  [join(LE, little), true],
  [big, true],
  [join(Buffer.from('a\n'), little), true],
])('detects UTF-16 in %j', (bytes, expected) => {
  expect(hasUtf16(bytes)).toBe(expected);
});

test.each([
  ['UTF-8', Buffer.from('a\n')],
  ['UTF-16LE', join(LE, Buffer.from('a\n', 'utf16le'))],
  ['UTF-16BE', join(BE, Buffer.from('a\n', 'utf16le').swap16())],
])('keeps a file in %s readable after an append', (_name, file) => {
  expect(decodeText(join(file, encodeLike(file, 'ä\n')))).toBe('a\nä\n');
});
