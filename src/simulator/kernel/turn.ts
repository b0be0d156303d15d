/** After so many ms without a break, timers and sockets have their turn: a loop of a script may never end by itself. */
const TURN_MS = 5;

let lastTurn = performance.now();
let next: Promise<void> | undefined;

export function isTurnOver(): boolean {
  return performance.now() - lastTurn >= TURN_MS;
}

/** @returns undefined, or a promise to wait for */
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
