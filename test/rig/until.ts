import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for an effect of another process; rejects if it does not occur in time. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new Error(`not within ${withinMs} ms: ${condition}`);
    }
    await sleep(20);
  }
}
