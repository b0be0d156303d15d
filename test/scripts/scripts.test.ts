import { afterAll, beforeEach, describe, test } from 'vitest';
import { SCRIPTS } from '../../src/remote/scripts/index.ts';
import { GROUPS } from './groups.ts';
import { missing, openShell, SHELL_NAMES } from './shells.ts';

describe.each(SHELL_NAMES)('scripts under %s', (name) => {
  const reason = missing(name);
  if (reason !== undefined) {
    test.skip(reason);
    return;
  }
  const machine = openShell(name);
  beforeEach(() => machine.reset());
  afterAll(() => machine.close());

  for (const [script, cases] of Object.entries(GROUPS)) {
    describe(script, () => {
      for (const { name: title, needs = [], run } of cases) {
        const runs = needs.every((feature) => machine.features.has(feature));
        test.skipIf(!runs)(title, () => run({ machine, scripts: SCRIPTS }));
      }
    });
  }
});
