import { hasUnsafe, UNSAFE_CHARACTER } from '../visible.ts';
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
export function findUnpainted(text: string, find: (text: string) => readonly Span[]): readonly Span[] {
  if (!hasUnsafe(text)) return find(text);
  const pieces: Piece[] = [];
  let stripped = '';
  let from = 0;
  for (const match of text.matchAll(UNSEEN)) {
    if (match.index > from) {
      pieces.push({ at: stripped.length, from });
      stripped += text.slice(from, match.index);
    }
    from = match.index + match[0].length;
  }
  pieces.push({ at: stripped.length, from });
  stripped += text.slice(from);
  const place = (offset: number): number => {
    const piece = lastUpTo(pieces, offset);
    return piece.from + offset - piece.at;
  };
  return find(stripped).map((span) => ({
    ...span,
    start: place(span.start),
    end: place(span.end - 1) + 1,
  }));
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
