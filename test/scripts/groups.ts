import type { Case } from './cases.ts';
import { EXEC_CASES } from './exec-cases.ts';
import { KILL_CASES } from './kill-cases.ts';

/** All cases by the script whose promises they check. */
export const GROUPS = {
  exec: EXEC_CASES,
  kill: KILL_CASES,
} as const satisfies Readonly<Record<string, readonly Case[]>>;
