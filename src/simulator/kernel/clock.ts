const UP_BEFORE_US_S = 86_400;
/** When the node was booted, in ms since the epoch. */
export const bootedAtMs = Date.now() - UP_BEFORE_US_S * 1000;

/** The uptime of the node at a time, in s. The start times of processes refer to the same boot. */
export function uptimeAt(moment: Date): number {
  return (moment.getTime() - bootedAtMs) / 1000;
}

/** The part of the interpreter's computing time that counts, because a real computer needs less for the same work. */
const BUSY_PART = 0.2;

/**
 * Time as sleeping processes measure it, in ms. With real time, a script that takes long to interpret would miss events:
 * kill.sh would never catch up with processes that fork every 20 ms.
 */
export function now(): number {
  const { active } = performance.eventLoopUtilization();
  return performance.now() - (1 - BUSY_PART) * active;
}
