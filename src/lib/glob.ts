/** Longer patterns are faults: together with the length of names this bounds what a match can cost. */
export const MAX_PATTERN = 200;

/** Whether a pattern matches more than one text. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/**
 * Whether `text` is what `pattern` describes: `*` stands for any characters, `?` for one, all others for themselves.
 * No regular expression: a pattern such as `*a*a*a*b` makes those try every way of sharing out the text. Here only the
 * last `*` is ever tried again, as an earlier one can't do better, so that it takes at most pattern × text steps.
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
