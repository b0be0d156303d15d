/** After this many ms without a pause, timers and sockets get a turn, because a loop in a script may never end. */
const TURN_MS = 5;

let lastTurn = performance.now();
let next: Promise<void> | undefined;

export function isTurnOver(): boolean {
  return performance.now() - lastTurn >= TURN_MS;
}

/** @returns undefined, or a promise to await */
export function turn(): Promise<void> | undefined {
  if (!isTurnOver()) return undefined;
  next ??= new Promise((resolve) => {
    setImmediate(() => {
      lastTurn = performance.now();
      next = undefined;
      resolve();
    });
  });
  return next;
}
