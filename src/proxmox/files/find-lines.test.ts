import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { findLines } from './find-lines.ts';

test('finds what a comparison at each place finds', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', ''), { maxLength: 12 });
  fc.assert(
    fc.property(lines, lines, fc.nat(12), (all, wanted, from) => {
      fc.pre(wanted.length > 0);
      const places = [...all.keys()].filter(
        (at) => at >= from && wanted.every((line, offset) => all[at + offset] === line),
      );
      expect(findLines(all, wanted, from)).toEqual(places);
    }),
    { numRuns: 2_000 },
  );
});
