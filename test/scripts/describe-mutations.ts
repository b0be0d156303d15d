import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { SCRIPTS } from '../../src/remote/scripts/index.ts';
import { GROUPS } from './groups.ts';
import type { Machine } from './machine.ts';
import { MUTATIONS, mutate } from './mutations.ts';

/** Declares a test for each mutation: its case must fail on this machine. */
export function describeMutations(machine: Machine): void {
  describe(`mutations under ${machine.name}`, () => {
    beforeEach(() => machine.reset());
    afterAll(() => machine.close());

    test.each(MUTATIONS)('a case fails for $name', async (mutation) => {
      const scripts = mutate(SCRIPTS, mutation);
      const found = GROUPS[mutation.group].find(({ name }) => name === mutation.caughtBy);
      if (found === undefined) throw new Error(`no case: ${mutation.caughtBy}`);
      const failure = await found.run({ machine, scripts }).catch((error: unknown) => error);
      // An assertion about the script must fail; a script that cannot run at all does not count.
      expect(failure).toMatchObject({ name: 'AssertionError' });
    });
  });
}
