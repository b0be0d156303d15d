import type { Undo } from '../rig/rig.ts';
import type { JobName, Roles } from './jobs.ts';

/** A node in the state that the tasks begin with. */
export interface NodeUnderEval {
  /** The name of its limits. */
  readonly name: 'simulator' | 'rig';
  /** Settings with which the server logs in as root. */
  readonly settings: Readonly<Record<string, string>>;
  readonly roles: Roles;
  /** Texts that the results of a task must contain: without them, the sequence has not completed it, however cheap it is. */
  readonly finds: Readonly<Record<JobName, readonly RegExp[]>>;
  freeze(vmid: number): Promise<Undo>;
}

/** A configuration in which line 114 has another value than the other lines of its kind. */
export function appConfig(): string {
  return Array.from({ length: 200 }, (_, index) => {
    if (index % 10 === 0) return `[backend-${index / 10}]\n`;
    if (index % 10 === 3) return `workers = ${index === 113 ? 3 : 4}\n`;
    return `option_${index} = ${index * 7}\n`;
  }).join('');
}

/** An application log; three of its lines are errors. */
export function appLog(lines: number): string {
  return Array.from({ length: lines }, (_, index) =>
    index % Math.floor(lines / 3) === 7
      ? `2026-05-14T03:12:09 ERROR request ${index} failed: upstream closed the connection`
      : `2026-05-14T03:12:09 INFO request ${index} took ${index % 90} ms`,
  ).join('\n');
}
