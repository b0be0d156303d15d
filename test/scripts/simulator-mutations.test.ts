import { describeMutations } from './describe-mutations.ts';
import { SimulatedShell } from './simulated-shell.ts';

describeMutations(new SimulatedShell('debian'));
