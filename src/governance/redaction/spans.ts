/** A part of a text that is redacted: from `start` up to `end`, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** What it is, for the placeholder. */
  readonly kind: string;
}

/** The spans in order; those that overlap are one, of the kind of the first, the longer one first where two begin together. */
export function merged(spans: readonly Span[]): Span[] {
  const ordered = [...spans].sort((a, b) => a.start - b.start || b.end - a.end);
  const result: Span[] = [];
  for (const span of ordered) {
    const last = result.at(-1);
    if (last === undefined || span.start >= last.end) result.push(span);
    else if (span.end > last.end) result[result.length - 1] = { ...last, end: span.end };
  }
  return result;
}

/**
 * The spans, in order, without those that lie within a placeholder, so that redacting twice changes nothing. Only placeholders
 * with this process's id and a kind that it uses count: otherwise a container could print one around a secret.
 */
export function outsidePlaceholders(
  text: string,
  ordered: readonly Span[],
  kinds: ReadonlySet<string>,
  id: string,
): Span[] {
  if (ordered.length === 0 || !text.includes('[redacted: ')) return [...ordered];
  const placeholders = [...text.matchAll(/\[redacted: ([^\][\n]{1,80}) ([0-9a-f]{6})\]/g)]
    .filter(([, kind = '', itsId]) => itsId === id && kinds.has(kind))
    .map((match) => ({ start: match.index, end: match.index + match[0].length }));
  let next = 0;
  return ordered.filter(({ start, end }) => {
    while ((placeholders[next]?.end ?? Number.POSITIVE_INFINITY) <= start) next++;
    const placeholder = placeholders[next];
    return placeholder === undefined || start < placeholder.start || end > placeholder.end;
  });
}
