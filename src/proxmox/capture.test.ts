import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { presentTogether, StreamCapture } from './capture.ts';

function captureOf(text: string, limit: number, chunkSize = 7): StreamCapture {
  const capture = new StreamCapture(limit);
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += chunkSize) capture.push(bytes.subarray(i, i + chunkSize));
  return capture;
}
const characters = (text: string) => [...text].length;

describe('StreamCapture', () => {
  test('gives short text back unchanged, split characters included', () => {
    const text = 'naïve 🐧 ünïcode\n';
    expect(captureOf(text, 100, 1).present(100)).toEqual({
      text,
      truncated: false,
      originalLength: characters(text),
    });
  });

  test('keeps head and tail, says how much is missing, and never exceeds the limit', () => {
    const text = Array.from({ length: 5000 }, (_, i) => `line ${i}`).join('\n');
    const shown = captureOf(text, 400).present(400);
    expect(shown.truncated).toBe(true);
    expect(shown.originalLength).toBe(characters(text));
    expect(characters(shown.text)).toBeLessThanOrEqual(400);
    const [, omitted, total] = /\[\.\.\. (\d+) of (\d+) characters left out \.\.\.\]/.exec(shown.text) ?? [];
    expect(Number(total)).toBe(characters(text));
    const [head = '', tail = ''] = shown.text.split(/\n\[\.\.\. .* \.\.\.\]\n/);
    expect(text.startsWith(head)).toBe(true);
    expect(text.endsWith(tail)).toBe(true);
    expect(characters(head) + characters(tail) + Number(omitted)).toBe(characters(text));
  });

  test('holds for any text, any chunks, any limit', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 600 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 300 }),
        (text, chunk, limit) => {
          const shown = captureOf(text, limit, chunk).present(limit);
          expect(characters(shown.text)).toBeLessThanOrEqual(limit);
          expect(shown.originalLength).toBe(characters(text));
          expect(shown.truncated).toBe(characters(text) > limit);
          if (!shown.truncated) expect(shown.text).toBe(text);
        },
      ),
    );
  });

  test('counts a flood without keeping it', () => {
    const capture = new StreamCapture(100);
    const chunk = Buffer.alloc(65_536, 'x');
    for (let i = 0; i < 1000; i++) capture.push(chunk);
    expect(capture.length).toBe(65_536_000);
    expect(capture.present(100).text.length).toBeLessThanOrEqual(100);
  });
});

describe('presentTogether', () => {
  test('a flood on stdout leaves stderr a quarter', () => {
    const shown = presentTogether(captureOf('o'.repeat(9000), 1000), captureOf('e'.repeat(9000), 1000), 1000);
    expect(characters(shown.stderr.text)).toBeGreaterThan(200);
    expect(characters(shown.stdout.text) + characters(shown.stderr.text)).toBeLessThanOrEqual(1000);
  });

  test('what one does not need the other may use', () => {
    const shown = presentTogether(captureOf('o'.repeat(990), 1000), captureOf('bad', 1000), 1000);
    expect(shown.stdout.truncated).toBe(false);
    expect(shown.stderr.text).toBe('bad');
  });
});
