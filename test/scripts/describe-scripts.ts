import { afterAll, beforeEach, describe, test } from 'vitest';
import { SCRIPTS } from '../../src/remote/scripts/index.ts';
import { applicable } from './cases.ts';
import { GROUPS } from './groups.ts';
import { missing, openShell, type ShellName } from './shells.ts';

/** Declares a test for each case under this shell. Each shell is a file of its own, so that they run at the same time. */
export function describeScripts(name: ShellName): void {
  const reason = missing(name);
  if (reason !== undefined) {
    test.skip(reason);
    return;
  }
  const machine = openShell(name);
  beforeEach(() => machine.reset());
  afterAll(() => machine.close());

  for (const [script, cases] of Object.entries(GROUPS)) {
    describe(`${script} under ${name}`, () => {
      for (const { name: title, run } of applicable(cases, machine)) {
        test(title, () => run({ machine, scripts: SCRIPTS }));
      }
    });
  }
}
