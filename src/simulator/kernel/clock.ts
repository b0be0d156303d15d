const UP_BEFORE_US_S = 86_400;
const bootedAtMs = Date.now() - UP_BEFORE_US_S * 1000;

/** How long the node had been up at a moment, in s. Its processes count their start from the same boot. */
export function uptimeAt(moment: Date): number {
  return (moment.getTime() - bootedAtMs) / 1000;
}
