import { lazy } from '../../lib/lazy.ts';
import { hasUnsafe, UNSAFE_CHARACTER } from '../../lib/visible.ts';
import type { Span } from './spans.ts';

/**
 * Terminal escape sequences, which are not displayed: CSI sequences, strings (OSC with titles and hyperlinks, DCS, SOS, PM,
 * APC) with their content, and others. A string cannot begin inside another one, so the time is linear.
 */
const SEQUENCE = [
  String.raw`(?:\x1b\[|\x9b)[0-?]{0,32}[ -/]{0,4}[@-~]`,
  String.raw`(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\x90\x98\x9d-\x9f]{0,2048}(?:\x07|\x1b\\|\x9c)`,
  String.raw`\x1b(?:[ -/]{1,2}[0-~]|[0-OQ-WYZ\\\x60-~])`,
].join('|');
const characters = lazy(() => new RegExp(UNSAFE_CHARACTER, 'gu'));
const sequences = lazy(() => new RegExp(`${SEQUENCE}|${UNSAFE_CHARACTER}`, 'gu'));
const STARTERS = String.raw`[\x1b\x90\x98\x9b\x9d-\x9f]`;
const BEGINS_SEQUENCE = new RegExp(STARTERS);

interface Piece {
  /** Its start in the stripped text and in the original text. */
  readonly at: number;
  readonly from: number;
}

/**
 * Searches a text as it is displayed: without invisible characters and escape sequences. If there are sequences, a second
 * search includes their content, because our output displays it.
 * @returns spans in the given text, in no order
 */
export function findIgnoringAnsi(text: string, find: (text: string) => readonly Span[]): readonly Span[] {
  if (!hasUnsafe(text)) return find(text);
  const spans = findWithout(characters(), text, find);
  return BEGINS_SEQUENCE.test(text) ? [...spans, ...findWithout(sequences(), text, find)] : spans;
}

/** The text for each of the two searches. */
export function searchedTexts(text: string): readonly string[] {
  if (!hasUnsafe(text)) return [text];
  return [text.replace(characters(), ''), text.replace(sequences(), '')];
}

function findWithout(unseen: RegExp, text: string, find: (text: string) => readonly Span[]): readonly Span[] {
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
  for (const match of text.matchAll(unseen)) {
    keep(match.index);
    from = match.index + match[0].length;
  }
  keep(text.length);
  const original = (offset: number): number => {
    const piece = lastUpTo(pieces, offset);
    return piece.from + offset - piece.at;
  };
  return find(kept.join('')).map((span) => ({
    ...span,
    start: original(span.start),
    end: original(span.end - 1) + 1,
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
