import type { Command } from './command.ts';
import { approvals } from './commands/approvals/approvals-command.ts';
import { audit } from './commands/audit/audit-command.ts';
import { call } from './commands/call/call-command.ts';
import { config } from './commands/config/config-command.ts';
import { demo } from './commands/demo/demo-command.ts';
import { doctor } from './commands/doctor/doctor-command.ts';
import { health } from './commands/health/health-command.ts';
import { init } from './commands/init/init-command.ts';
import { jobs } from './commands/jobs/jobs-command.ts';
import { lockdown } from './commands/lockdown/lockdown-command.ts';
import { policy } from './commands/policy/policy-command.ts';
import { serve } from './commands/serve/serve-command.ts';
import { tools } from './commands/tools/tools-command.ts';
import { VERBS } from './verb-commands.ts';

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  serve,
  init,
  demo,
  doctor,
  ...VERBS,
  policy,
  audit,
  approvals,
  jobs,
  lockdown,
  tools,
  call,
  config,
  health,
];
