import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StartScanner, TrailerScanner } from './trailer.ts';

const NONCE = 'aab0aab1';

function scan(stream: string, cuts: readonly number[]): { output: string; exitCode: number | undefined } {
  const bytes = Buffer.from(stream);
  const out: Buffer[] = [];
  const scanner = new TrailerScanner(NONCE, (data) => out.push(Buffer.from(data)));
  let from = 0;
  for (const cut of [...cuts.filter((c) => c < bytes.length).sort((a, b) => a - b), bytes.length]) {
    scanner.push(bytes.subarray(from, cut));
    from = cut;
  }
  if (scanner.exitCode === undefined) scanner.end();
  return { output: Buffer.concat(out).toString(), exitCode: scanner.exitCode };
}

test('output and exit code come apart however the stream is cut', () => {
  const output = fc.oneof(
    fc.string(),
    fc.constantFrom(`${NONCE} exi`, `${NONCE}`, 'aab0aab0aab1', `${NONCE} `),
  );
  fc.assert(
    fc.property(
      output,
      fc.integer({ min: 0, max: 255 }),
      fc.string(),
      fc.array(fc.nat(120)),
      (text, code, later, cuts) => {
        const seen = scan(`${text}${NONCE} exit ${code}\n${later}`, cuts);
        expect(seen).toEqual({ output: text, exitCode: code });
      },
    ),
    { numRuns: 2000 },
  );
});

test('a stream without trailer is all output, and has no exit code', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60)), (cuts) => {
      const text = `abc\n${NONCE} exit 1`; // its line end never came
      expect(scan(text, cuts)).toEqual({ output: text, exitCode: undefined });
    }),
  );
});

test('the start line is taken off, and something else is left alone', () => {
  const started = new StartScanner(NONCE);
  const rest = [...`${NONCE} start\nhello`].map((c) => started.push(Buffer.from(c)).toString());
  expect(rest.join('')).toBe('hello');
  expect(started.started).toBe(true);

  const other = new StartScanner(NONCE);
  expect(other.push(Buffer.from('sh: something else entirely\n')).toString()).toContain('something else');
  expect(other.started).toBe(false);
});
