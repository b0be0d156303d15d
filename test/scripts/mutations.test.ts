import { test } from 'vitest';
import { describeMutations } from './describe-mutations.ts';
import { missing, openShell } from './shells.ts';
import { SimulatedShell } from './simulated-shell.ts';

if (missing('dash') === undefined) describeMutations(openShell('dash'));
else test.skip('needs dash');

describeMutations(new SimulatedShell('debian'));
