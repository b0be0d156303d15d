import { AppError, messageOf, nextStep } from '../../../lib/errors.ts';

/** Everything that is looked at, in the order in which it is, with the name that people read. */
export const CHECKS = {
  configuration: 'Settings',
  name: 'Name',
  port: 'Port',
  'host-key': 'Host key',
  login: 'Login',
  proxmox: 'Proxmox VE',
  rights: 'Rights',
  attach: 'Attach method',
  'cluster-files': 'Cluster files',
  quorum: 'Quorum',
  containers: 'Containers',
  exec: 'Command',
  latency: 'Round trip',
  clock: 'Clock',
  'transfer-dirs': 'Transfers',
  'kept-dirs': 'Records',
} as const;

export type CheckId = keyof typeof CHECKS;

/** What one check found. */
export interface Check {
  readonly id: CheckId;
  readonly title: string;
  /** `warn`: works, but should be known. `skipped`: could not be looked at, because an earlier check failed. */
  readonly verdict: 'ok' | 'warn' | 'fail' | 'skipped';
  /** What was found, a phrase or a sentence. */
  readonly detail: string;
  /** What to do about it; after a line break, lines to paste into a shell. */
  readonly remedy?: string;
  /** The error code under which a call would report the same. */
  readonly code?: string;
  /** How long the check took. */
  readonly ms?: number;
}

/** The outcome of a check as the check itself states it; `value` is what later checks build upon. */
export interface Finding<T> {
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly remedy?: string;
  readonly code?: string;
  /** Instead of the measured time. */
  readonly ms?: number;
  readonly value?: T;
}

/** Runs checks one after the other, tells each as soon as it is known, and keeps them all, until it is cancelled. */
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

  /** Says what is looked at now, for those who wait. */
  begin(id: CheckId): void {
    this.#begin?.(id);
  }

  /**
   * Runs a check, or notes it as skipped where `look` is absent because what it needs has failed. Returns the value for
   * later checks; undefined if there is none.
   */
  async step<T>(id: CheckId, look: (() => Promise<Finding<T>>) | undefined): Promise<T | undefined> {
    if (this.#signal.aborted) return undefined;
    if (look === undefined) {
      this.add(id, { verdict: 'skipped', detail: 'skipped because an earlier check failed' });
      return undefined;
    }
    this.begin(id);
    const startedAt = performance.now();
    const { value, ...finding } = await look().catch((error: unknown): Finding<T> => failed(error));
    this.add(id, { ms: Math.round(performance.now() - startedAt), ...finding });
    return value;
  }

  /** Notes what was found; nothing once it is cancelled, for what was cut short has found nothing. */
  add(id: CheckId, found: Omit<Check, 'id' | 'title'>): void {
    if (this.#signal.aborted) return;
    const check: Check = { id, title: CHECKS[id], ...found };
    this.checks.push(check);
    this.#report(check);
  }
}

/** A failure as a finding. */
export function failed(error: unknown): Finding<never> {
  if (!(error instanceof AppError)) return { verdict: 'fail', detail: `${messageOf(error)}.` };
  return { verdict: 'fail', detail: error.message, remedy: nextStep(error, 'person'), code: error.code };
}
