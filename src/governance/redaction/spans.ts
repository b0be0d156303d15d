/** A part of a text that is redacted: from `start` up to `end`, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** The kind of secret, for the placeholder. */
  readonly kind: string;
}

/** Sorts spans and merges overlapping ones. A merged span has the kind of the first one, or of the longest if several begin together. */
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
 * The spans in order, without those inside a placeholder, so that redaction is idempotent. Only placeholders with the id and a
 * kind of this process count. Otherwise a container could print a placeholder around a secret to prevent its redaction.
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
