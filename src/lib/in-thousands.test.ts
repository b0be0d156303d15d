import { expect, test } from 'vitest';
import { inThousands } from './in-thousands.ts';

test.each([0, 1, 999, 1_000, 10_000, 123_456, 1_234_567, 1_000_000_000])(
  'formats %i as en-US does',
  (value) => {
    expect(inThousands(value)).toBe(value.toLocaleString('en-US'));
  },
);
