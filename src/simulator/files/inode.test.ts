import { describe, expect, test } from 'vitest';
import { appendContent, type FileInode, makeVolume, meta, readContent, replaceContent } from './inode.ts';

function makeFile(text: string): FileInode {
  const file: FileInode = { kind: 'file', content: Buffer.alloc(0), links: 1, ...meta(makeVolume(), 0o644) };
  appendContent(file, 0, Buffer.from(text), '/file');
  return file;
}

describe('bytes that were read from a file do not change', () => {
  const write = (file: FileInode, at: number, text: string) =>
    appendContent(file, at, Buffer.from(text), '/file');

  test('when the file is overwritten', () => {
    const file = makeFile('old content');
    const piece = readContent(file, 0, 3);
    write(file, 0, 'new');
    expect(piece.toString()).toBe('old');
    expect(file.content.toString()).toBe('new content');
  });

  test('when the file is emptied and written again', () => {
    const file = makeFile('old');
    const piece = readContent(file, 0, 100);
    replaceContent(file, file.content.subarray(0, 0), '/file');
    write(file, 0, 'new');
    expect(piece.toString()).toBe('old');
    expect(file.content.toString()).toBe('new');
  });

  test('when the file is shortened and written beyond its end', () => {
    const file = makeFile('123456');
    const piece = readContent(file, 0, 6);
    replaceContent(file, file.content.subarray(0, 2), '/file');
    write(file, 4, '7');
    expect(piece.toString()).toBe('123456');
    expect(file.content.toString()).toBe('12\0\x007');
  });
});

test('a file that grows is copied seldom', () => {
  const file = makeFile('');
  const block = Buffer.alloc(1024);
  const buffers = new Set<unknown>();
  for (let i = 0; i < 40_000; i += 1) {
    appendContent(file, file.content.length, block, '/file');
    readContent(file, i * 1024, (i + 1) * 1024);
    buffers.add(file.content.buffer);
  }
  expect(file.content.length).toBe(40_000 * 1024);
  // Each time its size has doubled.
  expect(buffers.size).toBeLessThan(20);
});
