import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../governance/redaction/redact.ts';
import { collectGarbageSoon } from '../../lib/collect-garbage.ts';
import { visible } from '../../lib/visible.ts';
import { type Cleaner, OutputBuffer, presentTogether as presentClean } from './output-buffer.ts';

function captureOf(
  text: string | Buffer,
  limit: number,
  chunkSize = 7,
  cleaner: Cleaner = createRedactor(),
): OutputBuffer {
  const capture = new OutputBuffer(limit, cleaner);
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += chunkSize) capture.push(bytes.subarray(i, i + chunkSize));
  return capture;
}
/** Keeps so little around a cut that the middle of short texts is dropped. */
const LITTLE_CONTEXT: Cleaner = { parts: createRedactor().parts, overlap: 0 };
const present = async (capture: OutputBuffer, limit: number) => (await capture.read()).present(limit);
const presentTogether = async (stdout: OutputBuffer, stderr: OutputBuffer, limit: number) =>
  presentClean(await stdout.read(), await stderr.read(), limit);
const characters = (text: string) => [...text].length;

describe('OutputBuffer', () => {
  test('returns short text unchanged, including characters split between chunks', async () => {
    const text = 'naïve 🐧 ünïcode\n';
    expect(await present(captureOf(text, 100, 1), 100)).toEqual({
      text,
      truncated: false,
      originalLength: characters(text),
      lines: 1,
      digest: null,
      redacted: 0,
    });
  });

  test.each([
    ['head', /^line 0\n[\s\S]*\n\[\.\.\. \d+ of \d+ characters omitted \.\.\.\]\n$/, 'line 999'],
    ['tail', /^\n\[\.\.\. \d+ of \d+ characters omitted \.\.\.\]\n[\s\S]*line 999$/, 'line 0\n'],
  ] as const)('keeps only the %s on request, up to the limit', async (keep, shape, gone) => {
    const text = Array.from({ length: 1000 }, (_, i) => `line ${i}`).join('\n');
    // Complete in the buffer, and not.
    for (const kept of [10_000, 100]) {
      const limit = Math.min(kept, 400);
      const shown = (await captureOf(text, kept).read()).present(limit, keep);
      expect(shown).toMatchObject({ truncated: true, lines: 1000, originalLength: text.length });
      expect(shown.text).toMatch(shape);
      expect(shown.text).not.toContain(gone);
      expect(shown.text.length).toBeGreaterThan(limit - 10);
      expect(shown.text.length).toBeLessThanOrEqual(limit);
    }
  });

  test('counts lines, and computes the digest of what it drops too', async () => {
    const text = 'a\nbb\n\nccc';
    const { lines, digest } = await present(captureOf(text, 2), 2);
    expect({ lines, digest }).toEqual({ lines: 4, digest: null });
    expect((await present(captureOf('', 9), 9)).lines).toBe(0);
    const capture = new OutputBuffer(10, createRedactor(), true);
    for (let i = 0; i < 100; i++) capture.push(Buffer.from('0123456789'));
    const sha256 = createHash('sha256').update('0123456789'.repeat(100)).digest('hex');
    expect((await present(capture, 10)).digest).toBe(sha256);
  });

  test('keeps head and tail, states the omitted length, and never exceeds the limit', async () => {
    const text = Array.from({ length: 5000 }, (_, i) => `line ${i}`).join('\n');
    const shown = await present(captureOf(text, 400), 400);
    expect(shown.truncated).toBe(true);
    expect(shown.originalLength).toBe(characters(text));
    expect(characters(shown.text)).toBeLessThanOrEqual(400);
    const [, omitted, total] = /\[\.\.\. (\d+) of (\d+) characters omitted \.\.\.\]/.exec(shown.text) ?? [];
    expect(Number(total)).toBe(characters(text));
    const [head = '', tail = ''] = shown.text.split(/\n\[\.\.\. .* \.\.\.\]\n/);
    expect(text.startsWith(head)).toBe(true);
    expect(text.endsWith(tail)).toBe(true);
    expect(characters(head) + characters(tail) + Number(omitted)).toBe(characters(text));
  });

  test('respects the limit for any text, chunks and limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({
          unit: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 3 }), fc.constantFrom('\u001b', '\u200b')),
        }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 300 }),
        async (text, chunk, limit) => {
          const shown = await present(captureOf(text, limit, chunk, LITTLE_CONTEXT), limit);
          expect(characters(shown.text)).toBeLessThanOrEqual(limit);
          expect(shown.originalLength).toBe(characters(text));
          expect(shown.truncated).toBe(characters(visible(text)) > limit);
          if (!shown.truncated) expect(shown.text).toBe(visible(text));
        },
      ),
    );
  });

  test('counts a flood without storing it', async () => {
    const capture = new OutputBuffer(100, createRedactor());
    const chunk = Buffer.alloc(65_536, 'x');
    for (let i = 0; i < 1000; i++) capture.push(chunk);
    const shown = await present(capture, 100);
    expect(shown.originalLength).toBe(65_536_000);
    expect(shown.text.length).toBeLessThanOrEqual(100);
  });
});

describe('secrets', () => {
  /** Nothing else in these texts is in upper case. */
  const secret = fc.string({
    unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'),
    minLength: 8,
    maxLength: 40,
  });
  /** Four bytes each, for which the buffer reserves no more than it needs. */
  const filler = fc.integer({ min: 0, max: 300 }).map((length) => '🐧'.repeat(length));

  test('are redacted completely at every chunk and cut position', async () => {
    await fc.assert(
      fc.asyncProperty(
        secret,
        fc.array(filler, { minLength: 2, maxLength: 8 }),
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 0, max: 300 }),
        async (value, between, chunk, limit) => {
          const redactor = createRedactor({ secrets: () => [{ kind: 'known', value }] });
          const cleaner = { parts: redactor.parts, overlap: value.length };
          const shown = await present(captureOf(between.join(value), limit, chunk, cleaner), limit);
          expect(shown.text).not.toMatch(/[A-Z]/);
          expect(characters(shown.text)).toBeLessThanOrEqual(limit);
          expect(shown.redacted).toBe(shown.text.split('[redacted: known ').length - 1);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('longer than the limit are kept whole until redaction', async () => {
    const value = 'ABCDEFGHIJ'.repeat(60);
    const { parts } = createRedactor({ secrets: () => [{ kind: 'known', value }] });
    for (let before = 0; before < 40; before++) {
      const around = '🐧'.repeat(before);
      const text = `${around}${value}${'🐧'.repeat(900)}${value}${around}`;
      const shown = await present(captureOf(text, 100, 50, { parts, overlap: value.length }), 100);
      expect(shown.text).not.toMatch(/[A-Z]/);
      expect(shown.originalLength).toBe(characters(text));
    }
  });

  test('are redacted before truncation, and omitted text is counted by its original length', async () => {
    const key = `-----BEGIN ${'PRIVATE'} KEY-----\n${`${'QUJD'.repeat(16)}\n`.repeat(40)}-----END ${'PRIVATE'} KEY-----\n`;
    const text = `begin\n${key}${'line\n'.repeat(300)}${key}end\n`;
    const shown = await present(captureOf(text, 400), 400);
    const [head = '', tail = ''] = shown.text.split(/\n\[\.\.\. .* \.\.\.\]\n/);
    expect(head).toMatch(/^begin\n\[redacted: private key \w{6}\]\n(line\n)*/);
    expect(tail).toMatch(/\[redacted: private key \w{6}\]\nend\n$/);
    expect(shown).toMatchObject({ redacted: 2, originalLength: text.length, truncated: true });
    const left = Number(/\[\.\.\. (\d+) of/.exec(shown.text)?.[1]);
    const covered = 2 * (key.length - 1 - '[redacted: private key 0a1b2c]'.length);
    expect(head.length + tail.length + covered + left).toBe(text.length);
  });

  test('are recognized by either end of a key longer than the buffer', async () => {
    const line = `${'QUJD'.repeat(16)}\n`;
    const key = `-----BEGIN ${'PRIVATE'} KEY-----\n${line.repeat(2000)}-----END ${'PRIVATE'} KEY-----\n`;
    const shown = await present(captureOf(key, 300, 1000), 300);
    expect(shown.text).not.toContain('QUJD');
    expect(shown.redacted).toBe(2);
  });
});

describe('an output within a limit', () => {
  const pieces = fc.constantFrom(
    'word ',
    '\u001b',
    '🐧',
    '\n',
    'é',
    'AKIAABCDEFGHIJKLMNOP ',
    'password=hunter2hunter2 ',
  );

  test('is presented as the complete one, for every smaller limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(pieces, { maxLength: 150 }),
        fc.nat(500),
        fc.nat(500),
        fc.constantFrom('head', 'tail', 'both', undefined),
        fc.boolean(),
        async (words, most, smaller, keep, dropped) => {
          const buffered = dropped ? most : 10_000;
          const output = await captureOf(
            words.join(''),
            buffered,
            7,
            dropped ? LITTLE_CONTEXT : undefined,
          ).read();
          const within = output.within(most, keep);
          const limit = Math.min(most, smaller);
          expect(within.present(limit, keep)).toEqual(output.present(limit, keep));
          expect(within.present(most, keep)).toEqual(output.present(most, keep));
          expect(within.length).toBe(output.length);
        },
      ),
    );
  });

  test('does not keep the rest in memory', async () => {
    const heap = async () => {
      collectGarbageSoon();
      await setImmediate();
      await setImmediate();
      return process.memoryUsage().heapUsed;
    };
    // Patterns would not be the subject here, and search for minutes.
    const capture = (index: number) =>
      captureOf(`${index}`.padEnd(500_000, 'x'), 300_000, 500_000, createRedactor({ patterns: false }));
    const kept = [(await capture(0).read()).within(1_000)];
    const before = await heap();
    for (let index = 0; index < 100; index += 1) kept.push((await capture(index).read()).within(1_000));
    expect((await heap()) - before).toBeLessThan(10_000_000);
    expect(kept).toHaveLength(101);
  });
});

describe('presentTogether', () => {
  test('reserves a quarter for stderr when stdout floods', async () => {
    const shown = await presentTogether(
      captureOf('o'.repeat(9000), 1000),
      captureOf('e'.repeat(9000), 1000),
      1000,
    );
    expect(characters(shown.stderr.text)).toBeGreaterThan(200);
    expect(characters(shown.stdout.text) + characters(shown.stderr.text)).toBeLessThanOrEqual(1000);
  });

  test('gives unused space of one stream to the other', async () => {
    const shown = await presentTogether(captureOf('o'.repeat(990), 1000), captureOf('bad', 1000), 1000);
    expect(shown.stdout.truncated).toBe(false);
    expect(shown.stderr.text).toBe('bad');
  });

  test('counts an escape by its displayed length', async () => {
    const shown = await presentTogether(captureOf('\u001b'.repeat(100), 1000), captureOf('', 1000), 1000);
    expect(shown.stdout).toEqual({
      text: '<U+001B>'.repeat(100),
      lines: 1,
      digest: null,
      truncated: false,
      originalLength: 100,
      redacted: 0,
    });
    const flood = await presentTogether(captureOf('\u001b'.repeat(900), 1000), captureOf('', 1000), 1000);
    expect(flood.stdout.truncated).toBe(true);
    expect(flood.stdout.text.length).toBeLessThanOrEqual(1000);
    expect(flood.stdout.text).toMatch(/^(<U\+001B>)+\n\[.*\]\n(<U\+001B>)+$/);
  });
});
