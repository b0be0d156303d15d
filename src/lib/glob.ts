/** Maximum length of a pattern. Together with the length of names, it limits the time of a match. */
export const MAX_PATTERN = 200;

/** Whether a pattern matches more than one text. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/**
 * Whether `text` matches `pattern`: `*` matches any characters, `?` one character, all others themselves. Not a regular
 * expression, because a pattern such as `*a*a*a*b` would cause exponential backtracking. This function backtracks only to the
 * last `*`, which is sufficient, so it takes at most pattern × text steps.
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
