/** An expansion that can pause for a command substitution. Most never pause, so they need no await. */
export type Steps<T> = Generator<Promise<void>, T, void>;

export function* wait<T>(promise: Promise<T>): Steps<T> {
  const values: T[] = [];
  yield promise.then((value) => {
    values.push(value);
  });
  for (const value of values) return value;
  throw new Error('the step was not waited for');
}

export function drive<T>(steps: Steps<T>): T | Promise<T> {
  const first = steps.next();
  return first.done === true ? first.value : driveOn(steps, first.value);
}

async function driveOn<T>(steps: Steps<T>, first: Promise<void>): Promise<T> {
  for (let waiting = first; ; ) {
    let failed: unknown;
    let hasFailed = false;
    try {
      await waiting;
    } catch (error) {
      failed = error;
      hasFailed = true;
    }
    const next = hasFailed ? steps.throw(failed) : steps.next();
    if (next.done === true) return next.value;
    waiting = next.value;
  }
}
