import leven from 'leven';

const MAX_LENGTH = 64;

/** The candidate that `word` probably means; undefined if none is similar. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  // Longer than any name, so not a typo, and expensive to compare.
  if (word.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  // At most a third of the letters may differ. Beyond that, suggestions are mostly wrong.
  let bestDistance = Math.floor(Math.max(word.length, 3) / 3) + 1;
  for (const candidate of candidates) {
    const distance = leven(fold(word), fold(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? candidates.find((candidate) => containsWord(candidate, word));
}

/** Normalizes `containerPath` and `container-path` to `container_path`. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** Whether one name is a whole part of the other, such as `path` of `container_path`. */
function containsWord(candidate: string, word: string): boolean {
  const parts = candidate.split('_');
  return parts.length > 1 && parts.includes(word.toLowerCase());
}
