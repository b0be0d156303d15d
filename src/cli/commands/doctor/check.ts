import { AppError, messageOf, nextStep } from '../../../lib/errors.ts';

/** All checks in order, with their titles. */
export const CHECKS = {
  configuration: 'Settings',
  name: 'Name',
  port: 'Port',
  'host-key': 'Host key',
  login: 'Login',
  proxmox: 'Proxmox VE',
  rights: 'Privileges',
  attach: 'Attach method',
  'cluster-files': 'Cluster files',
  quorum: 'Quorum',
  nodes: 'Other nodes',
  standby: 'Standby',
  containers: 'Containers',
  'own-container': 'Own container',
  exec: 'Command',
  latency: 'Latency',
  clock: 'Clock',
  'transfer-dirs': 'Transfers',
  'state-dirs': 'Audit log',
  approvals: 'Approvals',
} as const;

export type CheckId = keyof typeof CHECKS;

/** The result of one check. */
export interface Check {
  readonly id: CheckId;
  readonly title: string;
  /** `warn`: it works, with a limitation or a risk. `skipped`: an earlier check failed. */
  readonly verdict: 'ok' | 'warn' | 'fail' | 'skipped';
  /** The finding, a phrase or a sentence. */
  readonly detail: string;
  /** What to do; after a line break, lines to paste into a shell. */
  readonly remedy?: string;
  /** The error code that a tool call would return for the same problem. */
  readonly code?: string;
  /** Duration of the check. */
  readonly ms?: number;
  /** The names of nodes, containers and users in `detail`, which an anonymous report replaces. */
  readonly names?: readonly string[];
}

/** The finding of a check function; `value` is for later checks. */
export interface Finding<T> {
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly remedy?: string;
  readonly code?: string;
  /** Replaces the measured duration. */
  readonly ms?: number;
  readonly names?: readonly string[];
  readonly value?: T;
}

/** Runs checks one by one, reports each result at once, and collects them, until the signal aborts. */
export class Examination {
  readonly checks: Check[] = [];
  readonly #report: (check: Check) => void;
  readonly #begin: ((id: CheckId) => void) | undefined;
  readonly #signal: AbortSignal;

  constructor(report: (check: Check) => void, signal: AbortSignal, begin?: (id: CheckId) => void) {
    this.#report = report;
    this.#signal = signal;
    this.#begin = begin;
  }

  /** Reports which check is running. */
  begin(id: CheckId): void {
    this.#begin?.(id);
  }

  /**
   * Runs a check. Without `run`, adds it as skipped, because an earlier check failed.
   * @returns the value for later checks; undefined if there is none
   */
  async step<T>(id: CheckId, run: (() => Promise<Finding<T>>) | undefined): Promise<T | undefined> {
    if (this.#signal.aborted) return undefined;
    if (run === undefined) {
      this.add(id, { verdict: 'skipped', detail: 'skipped because an earlier check failed' });
      return undefined;
    }
    this.begin(id);
    const startedAt = performance.now();
    const { value, ...finding } = await run().catch((error: unknown): Finding<T> => failed(error));
    this.add(id, { ms: Math.round(performance.now() - startedAt), ...finding });
    return value;
  }

  /** Adds a result. Does nothing after cancellation, because a cancelled check has no result. */
  add(id: CheckId, result: Omit<Check, 'id' | 'title'>): void {
    if (this.#signal.aborted) return;
    const check: Check = { id, title: CHECKS[id], ...result };
    this.checks.push(check);
    this.#report(check);
  }
}

/** The finding for an error. */
export function failed(error: unknown): Finding<never> {
  if (!(error instanceof AppError)) return { verdict: 'fail', detail: `${messageOf(error)}.` };
  return { verdict: 'fail', detail: error.message, remedy: nextStep(error, 'person'), code: error.code };
}
