import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteAll } from './quote.ts';

test.runIf(process.platform !== 'win32')(
  'a real sh splits quoted arguments back into exactly the same bytes',
  () => {
    const arg = fc.string({ unit: 'binary', maxLength: 40 }).map((s) => s.replaceAll('\0', ''));
    fc.assert(
      fc.property(fc.array(arg, { minLength: 1, maxLength: 5 }), (argv) => {
        const clean = argv.map((a) => Buffer.from(a, 'utf8').toString('utf8'));
        const out = execFileSync('sh', ['-c', `printf '%s\\0' ${quoteAll(clean)}`]);
        expect(out.toString('utf8').split('\0').slice(0, -1)).toEqual(clean);
      }),
      { numRuns: 200 },
    );
  },
);
