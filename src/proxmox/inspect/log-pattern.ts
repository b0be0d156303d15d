/** Limit of the product of all repetition counts in a pattern: grep expands repetitions, so nested ones need much memory. */
const MOST_REPETITIONS = 1000;

/**
 * Why a POSIX extended regular expression is not allowed; null if it is. grep takes linear time for all but
 * back-references, and memory for counted repetitions.
 */
export function patternProblem(pattern: string): string | null {
  let repetitions = 1;
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at];
    if (char === '\\') {
      at++;
      if (at === pattern.length) return 'must not end in a backslash';
      if (/[1-9]/.test(pattern[at] ?? ''))
        return 'must have no back-references (\\1), which take exponential time';
    } else if (char === '[') {
      // A bracket expression: a ] directly after [ or [^ is a member, and classes contain brackets of their own.
      const match = /^\[\^?\]?(?:\[[:.=][^\]]*[:.=]\]|[^\]])*\]/.exec(pattern.slice(at));
      if (match === null) return 'has a [ without its ]';
      at += match[0].length - 1;
    } else if (char === '{') {
      const [, least = '', most = ''] = /^\{(\d*)(?:,(\d*))?\}/.exec(pattern.slice(at)) ?? [];
      repetitions *= Math.max(1, Number(least), Number(most));
      if (repetitions > MOST_REPETITIONS)
        return `must have at most ${MOST_REPETITIONS} repetitions in all, nested ones multiplied`;
    }
  }
  return null;
}
