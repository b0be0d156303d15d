import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_GREETING, StartScanner, TrailerScanner } from './protocol.ts';

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

test('the start line is taken off, with what a login shell prints before it', () => {
  for (const greeting of ['', 'Welcome\n', 'no newline ', `${NONCE} star`, 'x'.repeat(MAX_GREETING - 100)]) {
    const started = new StartScanner(NONCE);
    const rest = [greeting, ...`${NONCE} start\nhello`].map((c) => started.push(Buffer.from(c)).toString());
    expect(rest.join('')).toBe('hello');
    expect(started.started).toBe(true);
    expect(started.end()).toHaveLength(0);
  }
});

test('what has no start line is left alone, at the end or when it is too much for a greeting', () => {
  const short = new StartScanner(NONCE);
  expect(short.push(Buffer.from('sh: something else\n')).toString() + short.end()).toBe(
    'sh: something else\n',
  );
  expect(short.started).toBe(false);

  const long = new StartScanner(NONCE);
  expect(long.push(Buffer.alloc(MAX_GREETING + 1, 'x'))).toHaveLength(MAX_GREETING + 1);
  expect(long.push(Buffer.from(`${NONCE} start\n`)).toString()).toBe(`${NONCE} start\n`);
  expect(long.started).toBe(false);
});
