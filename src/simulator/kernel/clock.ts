const UP_BEFORE_US_S = 86_400;
const bootedAtMs = Date.now() - UP_BEFORE_US_S * 1000;

/** How long the node had been up at a moment, in s. Its processes count their start from the same boot. */
export function uptimeAt(moment: Date): number {
  return (moment.getTime() - bootedAtMs) / 1000;
}

/** Of the time that the interpreter computes, this part counts: a computer does the same work in less. */
const BUSY_PART = 0.2;

/**
 * Time as sleeping processes measure it, in ms. Without it a script that takes long to interpret would miss what other
 * processes do meanwhile, such as a kill the processes that fork every 20 ms.
 */
export function now(): number {
  const { active } = performance.eventLoopUtilization();
  return performance.now() - (1 - BUSY_PART) * active;
}
