import { cancelled } from '../../ssh/pool-errors.ts';
import { jobNotFound } from './job-errors.ts';
import type { JobRecord } from './job-record.ts';
import type { Job, JobWait } from './job-types.ts';

/** Intervals between reads, in ms: short at the beginning of a wait, then longer. */
const SHORT_MS = 200;
const LONG_MS = 1_000;
const SHORT_LOOKS = 15;

interface Waiter {
  readonly id: string;
  readonly options: JobWait;
  looks: number;
  last: Job | undefined;
  error: unknown;
  done(): void;
}

/** Waits for jobs of one node. Each read of the node serves all waiting calls. */
export class JobWatch {
  readonly #look: (ids: readonly string[]) => Promise<readonly JobRecord[]>;
  readonly #waiters = new Set<Waiter>();
  #running = false;

  constructor(look: (ids: readonly string[]) => Promise<readonly JobRecord[]>) {
    this.#look = look;
  }

  /**
   * Resolves with the job when it has ended, when there is news, or when the time is over. If the node does not respond for a
   * while, it is read again.
   * @throws AppError JOB_NOT_FOUND, CANCELLED; the error of the last read if none succeeded
   */
  async wait(id: string, options: JobWait): Promise<Job> {
    const { signal, withinMs } = options;
    if (signal.aborted) throw cancelled();
    const waiter: Waiter = { id, options, looks: 0, last: undefined, error: undefined, done: () => {} };
    const over = new Promise<void>((resolve) => {
      waiter.done = resolve;
    });
    const timer = setTimeout(waiter.done, withinMs);
    signal.addEventListener('abort', waiter.done, { once: true });
    this.#waiters.add(waiter);
    if (!this.#running) void this.#run();
    await over;
    this.#waiters.delete(waiter);
    clearTimeout(timer);
    signal.removeEventListener('abort', waiter.done);
    if (signal.aborted) throw cancelled();
    if (waiter.last !== undefined) return waiter.last;
    if (waiter.error !== undefined) throw waiter.error;
    // The first read takes longer than the caller wants to wait.
    const [record] = await this.#look([id]);
    if (record === undefined) throw jobNotFound(id);
    return record.job;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiters.size > 0) {
      const waiters = [...this.#waiters];
      try {
        const records = await this.#look([...new Set(waiters.map(({ id }) => id))]);
        for (const waiter of waiters) this.#tell(waiter, records);
      } catch (error) {
        for (const waiter of waiters) waiter.error = error;
      }
      for (const waiter of waiters) waiter.looks += 1;
      const fewest = Math.min(...[...this.#waiters].map(({ looks }) => looks));
      if (this.#waiters.size > 0) await pause(fewest < SHORT_LOOKS ? SHORT_MS : LONG_MS);
    }
    this.#running = false;
  }

  #tell(waiter: Waiter, records: readonly JobRecord[]): void {
    const job = records.find((record) => record.job.id === waiter.id)?.job;
    if (job === undefined) {
      waiter.error = jobNotFound(waiter.id);
      waiter.last = undefined;
      waiter.done();
      return;
    }
    waiter.last = job;
    waiter.error = undefined;
    if (job.state === 'ended' || waiter.options.news(job)) waiter.done();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
