import leven from 'leven';

const MAX_LENGTH = 64;

/** The candidate that `word` was probably meant to be, or undefined when none is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  // Longer than any name: nobody mistyped that, and comparing it would cost.
  if (word.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  // A third of the letters may differ; beyond that a guess misleads more than it helps.
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

/** `containerPath` and `container-path` are `container_path`. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** `path` may be `container_path`: a whole part of the longer name. */
function containsWord(candidate: string, word: string): boolean {
  const parts = candidate.split('_');
  return parts.length > 1 && parts.includes(word.toLowerCase());
}
