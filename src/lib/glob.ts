/** Maximum length of a pattern. With the length of names, it limits the cost of a match. */
export const MAX_PATTERN = 200;

/** Whether a pattern can match more than one text. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/**
 * Whether `text` matches `pattern`: `*` matches any characters, `?` one character. Not implemented with a regular expression,
 * because those take exponential time for patterns such as `*a*a*a*b`. Here only the last `*` is retried, which is sufficient,
 * so that a match takes at most pattern × text steps.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let inPattern = 0;
  let inText = 0;
  let star = -1;
  let resume = 0;
  while (inText < text.length) {
    const wanted = pattern[inPattern];
    if (wanted === '*') {
      star = inPattern;
      resume = inText;
      inPattern += 1;
    } else if (wanted === '?' || (wanted !== undefined && wanted === text[inText])) {
      inPattern += 1;
      inText += 1;
    } else if (star >= 0) {
      resume += 1;
      inPattern = star + 1;
      inText = resume;
    } else return false;
  }
  while (pattern[inPattern] === '*') inPattern += 1;
  return inPattern === pattern.length;
}
