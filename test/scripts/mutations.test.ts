import { test } from 'vitest';
import { describeMutations } from './describe-mutations.ts';
import { missing, openShell } from './shells.ts';

if (missing('dash') === undefined) describeMutations(openShell('dash'));
else test.skip('needs dash');
