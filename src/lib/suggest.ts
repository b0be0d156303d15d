import damerauLevenshtein from 'damerau-levenshtein';

const MAX_LENGTH = 64;

/** Fewer letters say too little about what they abbreviate. */
const MIN_ABBREVIATION = 3;

/** The candidate that `word` abbreviates, or the one that is most similar to it; undefined if none is similar. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  // Longer than any name, so not a typo, and expensive to compare.
  if (word.length > MAX_LENGTH) return undefined;
  const begun = candidates.filter((candidate) => fold(candidate).startsWith(fold(word)));
  if (begun.length === 1 && fold(word).length >= MIN_ABBREVIATION) return begun[0];
  let best: string | undefined;
  // A third of the letters may differ. Beyond that, a suggestion is more misleading than helpful.
  let bestDistance = Math.floor(Math.max(word.length, 3) / 3) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(fold(word), fold(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? candidates.find((candidate) => containsWord(candidate, word));
}

/** The number of letters to insert, remove, replace or swap with the next one. */
export function editDistance(word: string, other: string): number {
  return damerauLevenshtein(word, other).steps;
}

/** `containerPath` and `container-path` are `container_path`. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** Whether `word` is a complete part of the candidate, as `path` is of `container_path`. */
function containsWord(candidate: string, word: string): boolean {
  const parts = candidate.split('_');
  return parts.length > 1 && parts.includes(word.toLowerCase());
}
