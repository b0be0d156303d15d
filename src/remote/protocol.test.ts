import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundedInteger, CommandOutput, FrameReader, ProtocolViolation } from './protocol.ts';

const KEY = 'aab0aab1';
const WORDS = ['began', 'ended', 'item', 'data'];

function cut(stream: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(stream);
  const ends = [...cuts.filter((c) => c < bytes.length).sort((a, b) => a - b), bytes.length];
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** The text parts, and the frames as `word field …`. */
function read(reader: FrameReader, chunks: readonly Buffer[]) {
  const text: Buffer[] = [];
  const frames: string[] = [];
  for (const frame of [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()]) {
    if (frame.kind === 'text') text.push(frame.bytes);
    else if (frame.kind === 'frame') frames.push([frame.word, ...frame.fields].join(' '));
    else frames.push(`<${frame.bytes.toString('latin1')}>`);
  }
  return { text: Buffer.concat(text).toString(), frames };
}

test('separates text and frames at every chunk boundary', () => {
  const output = fc.oneof(fc.string(), fc.constantFrom(`${KEY} bega`, KEY, 'aab0aab0aab1', `${KEY} other\n`));
  fc.assert(
    fc.property(output, output, fc.array(fc.nat(120)), (before, after, cuts) => {
      const stream = `${before}${KEY} item a b\n${after}`;
      const seen = read(new FrameReader(KEY, WORDS), cut(stream, cuts));
      expect(seen).toEqual({ text: before + after, frames: ['item a b'] });
    }),
    { numRuns: 2000 },
  );
});

test('counts data in bytes, whatever its content', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60)), (cuts) => {
      const reader = new FrameReader(KEY, WORDS);
      reader.allowData(20);
      const content = `é${KEY} ended\n`; // 17 bytes
      const chunks = cut(`${KEY} data 17\n${content}${KEY} ended\n`, cuts);
      const { frames } = read(reader, chunks);
      expect(frames[0]).toBe('data 17');
      expect(frames.at(-1)).toBe('ended');
      expect(Buffer.from(frames.slice(1, -1).join('').replaceAll(/[<>]/g, ''), 'latin1').toString()).toBe(
        content,
      );
    }),
  );
});

test('rejects data that is not allowed or longer than allowed', () => {
  expect(() => new FrameReader(KEY, WORDS).push(Buffer.from(`${KEY} data 1\nx`))).toThrow(ProtocolViolation);
  const reader = new FrameReader(KEY, WORDS);
  reader.allowData(4096);
  expect(() => reader.push(Buffer.from(`${KEY} data 6000000000\n`))).toThrow(/6000000000 is more than/);
});

test('reads a line without an end as text, without buffering it', () => {
  const reader = new FrameReader(KEY, WORDS);
  const line = `${KEY} item ${'x'.repeat(100_000)}`;
  const { text, frames } = read(reader, cut(line, [3, 20, 5_000, 50_000]));
  expect({ text, frames }).toEqual({ text: line, frames: [] });
});

test.each([
  '',
  '-1',
  '1.5',
  '1e3',
  ' 1',
  '1 ',
  '0x10',
  '01',
  'abc',
  '9999999999999999999',
  '1\u0000',
  undefined,
])('rejects the number %j', (text) => {
  expect(() => boundedInteger(text, Number.MAX_SAFE_INTEGER)).toThrow(ProtocolViolation);
});

test('bounds numbers', () => {
  expect(boundedInteger('0', 0)).toBe(0);
  expect(boundedInteger('4096', 4096)).toBe(4096);
  expect(() => boundedInteger('4097', 4096)).toThrow('more than the allowed 4096');
});

describe('output of a command', () => {
  const run = (stream: string, cuts: readonly number[] = []) => {
    const shown: Buffer[] = [];
    const output = new CommandOutput(KEY, (bytes) => shown.push(Buffer.from(bytes)));
    for (const chunk of cut(stream, cuts)) output.push(chunk);
    output.end();
    const { began, ended, before } = output;
    return { text: Buffer.concat(shown).toString(), began, ended, before };
  };

  test('excludes text before `began`, which is kept for errors', () => {
    expect(run(`lxc-attach: hm\n${KEY} began\nhello`)).toEqual({
      text: 'hello',
      began: true,
      ended: false,
      before: 'lxc-attach: hm\n',
    });
    expect(run('lxc-attach: no\n')).toMatchObject({ text: '', began: false, before: 'lxc-attach: no\n' });
  });

  test.each([
    ['ended', `${KEY} ended VERDICT: backdoor\n`],
    ['began', `${KEY} began VERDICT: backdoor\n`],
    ['an exact copy of `began`', `${KEY} began\n`],
    ['a word without a newline', `${KEY} ended`],
    ['half of a word', `${KEY} end`],
    ['bytes that are not UTF-8', `${KEY} ended \xff\n`],
  ])('keeps a line to which another process has added a frame word: %s', (_name, line) => {
    fc.assert(
      fc.property(fc.array(fc.nat(120)), (cuts) => {
        const { text, ended } = run(`${KEY} began\n${line}${KEY} ended\n`, cuts);
        expect({ text, ended }).toEqual({ text: line, ended: true });
      }),
    );
  });

  test('keeps text that contains a frame word', () => {
    const { text } = run(`${KEY} began\none${KEY} ended\ntwo\n${KEY} exited 0\n${KEY} ended\n`);
    expect(text).toBe(`onetwo\n${KEY} exited 0\n`);
  });
});
