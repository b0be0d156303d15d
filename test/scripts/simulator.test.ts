import { describeMachine } from './describe-scripts.ts';
import { SimulatedShell } from './simulated-shell.ts';

describeMachine(new SimulatedShell('debian'));
