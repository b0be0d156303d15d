/**
 * Computing time of this process so far, in ms. A limit of it is the same on a busy machine, where a computation of 0.1 s takes
 * seconds.
 */
export function computingTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
