import { afterAll, beforeEach, expect, test } from 'vitest';
import { SCRIPTS } from '../../src/remote/scripts/index.ts';
import { GROUPS } from './groups.ts';
import { MUTATIONS, mutate } from './mutations.ts';
import { missing, openShell } from './shells.ts';

if (missing('dash') !== undefined) {
  test.skip('needs dash');
} else {
  const machine = openShell('dash');
  beforeEach(() => machine.reset());
  afterAll(() => machine.close());

  test.each(MUTATIONS)('a case fails for $name', async (mutation) => {
    const scripts = mutate(SCRIPTS, mutation);
    const found = GROUPS[mutation.group].find(({ name }) => name === mutation.caughtBy);
    if (found === undefined) throw new Error(`no case: ${mutation.caughtBy}`);
    const failure = await found.run({ machine, scripts }).catch((error: unknown) => error);
    // By an assertion about the script, not by a script that does not run at all.
    expect(failure).toMatchObject({ name: 'AssertionError' });
  });
}
