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
