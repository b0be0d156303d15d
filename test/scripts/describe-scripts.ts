import { afterAll, beforeEach, describe, test } from 'vitest';
import { SCRIPTS } from '../../src/remote/scripts/index.ts';
import { applicable } from './cases.ts';
import { GROUPS } from './groups.ts';
import type { Machine } from './machine.ts';
import { missing, openShell, type ShellName } from './shells.ts';

/** Declares a test for each case under this shell. Each shell has its own file, so that they run in parallel. */
export function describeShell(name: ShellName): void {
  const reason = missing(name);
  if (reason === undefined) describeMachine(openShell(name));
  else test.skip(reason);
}

/** Declares a test for each case that the machine has the features for. */
export function describeMachine(machine: Machine): void {
  beforeEach(() => machine.reset());
  afterAll(() => machine.close());

  for (const [script, cases] of Object.entries(GROUPS)) {
    describe(`${script} under ${machine.name}`, () => {
      for (const { name, run } of applicable(cases, machine)) {
        test(name, () => run({ machine, scripts: SCRIPTS }));
      }
    });
  }
}
