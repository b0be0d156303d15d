/** A part of a text that is covered: from `start` up to `end`, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** What it is, for the mark. */
  readonly kind: string;
}

/** What stands in place of a secret. */
export function markOf(kind: string): string {
  return `[redacted: ${kind}]`;
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
 * The spans, in order, without those that lie within a mark, so that redacting twice changes nothing. Only marks that
 * we could have made ourselves count: else a container could print one around what shall not be seen.
 */
export function outsideMarks(text: string, ordered: readonly Span[], kinds: ReadonlySet<string>): Span[] {
  if (ordered.length === 0 || !text.includes('[redacted: ')) return [...ordered];
  const marks = [...text.matchAll(/\[redacted: ([^\][\n]{1,80})\]/g)]
    .filter(([, kind = '']) => kinds.has(kind))
    .map((match) => ({ start: match.index, end: match.index + match[0].length }));
  let next = 0;
  return ordered.filter(({ start, end }) => {
    while ((marks[next]?.end ?? Number.POSITIVE_INFINITY) <= start) next++;
    const mark = marks[next];
    return mark === undefined || start < mark.start || end > mark.end;
  });
}
