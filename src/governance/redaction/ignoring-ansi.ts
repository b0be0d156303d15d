import { hasUnsafe, UNSAFE_CHARACTER } from '../../lib/visible.ts';
import type { Span } from './spans.ts';

/** Sequences that colour text or move the cursor, then whatever else `visible` shows. */
const UNSEEN = new RegExp(String.raw`\x1b\[[0-?]{0,32}[ -/]{0,4}[@-~]|${UNSAFE_CHARACTER}`, 'gu');

interface Piece {
  /** Where it begins in the stripped text, and in the original. */
  readonly at: number;
  readonly from: number;
}

/**
 * Finds in a text what is there for whoever reads it: `grep --color` paints a part of a password, and what is strewn
 * with characters that nobody sees is still read.
 * @returns the spans in the given text
 */
export function findIgnoringAnsi(text: string, find: (text: string) => readonly Span[]): readonly Span[] {
  if (!hasUnsafe(text)) return find(text);
  const pieces: Piece[] = [];
  const kept: string[] = [];
  let length = 0;
  let from = 0;
  const keep = (until: number): void => {
    if (until === from) return;
    pieces.push({ at: length, from });
    kept.push(text.slice(from, until));
    length += until - from;
  };
  for (const match of text.matchAll(UNSEEN)) {
    keep(match.index);
    from = match.index + match[0].length;
  }
  keep(text.length);
  const place = (offset: number): number => {
    const { at, from: original } = lastUpTo(pieces, offset);
    return original + offset - at;
  };
  return find(kept.join('')).map((span) => ({
    ...span,
    start: place(span.start),
    end: place(span.end - 1) + 1,
  }));
}

/** The text as it is read. */
export function unpainted(text: string): string {
  return hasUnsafe(text) ? text.replace(UNSEEN, '') : text;
}

function lastUpTo(pieces: readonly Piece[], offset: number): Piece {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((pieces[middle]?.at ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return pieces[low] ?? { at: 0, from: 0 };
}
