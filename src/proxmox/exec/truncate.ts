import type { Part } from '../../lib/redactor.ts';

/** A part of a text, and how much of the original it represents. */
interface Excerpt {
  readonly text: string;
  /** Characters of the original, including redacted ones. */
  readonly characters: number;
  /** Number of redacted secrets. */
  readonly redacted: number;
  /** The parts that the text consists of. */
  readonly parts: readonly Part[];
}

/** In Unicode code points. */
export function charactersIn(text: string): number {
  let count = text.length;
  for (const _ of text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)) count--;
  return count;
}

/** The complete text. */
export function whole(parts: readonly Part[]): Excerpt {
  const marks = parts.filter(({ what }) => what === 'placeholder').length;
  const original = parts.reduce((sum, part) => sum + charactersIn(part.original), 0);
  return { text: parts.map(({ shown }) => shown).join(''), characters: original, redacted: marks, parts };
}

/**
 * The beginning, at most `room` characters. Placeholders and escapes are included completely or not at all.
 * @param trusted UTF-16 units of the original that may be shown. A secret beyond that may have been cut and not recognized.
 */
export function headOf(
  parts: readonly Part[],
  room: number,
  trusted = Number.POSITIVE_INFINITY,
): Excerpt & { readonly rest: readonly Part[] } {
  const taken: Part[] = [];
  let left = room;
  let leftOfOriginal = trusted;
  for (const [index, part] of parts.entries()) {
    const taking = part.what === 'plain' ? firstOf(part.shown, left, leftOfOriginal) : part.shown;
    if (charactersIn(taking) > left || leftOfOriginal <= 0)
      return { ...whole(taken), rest: parts.slice(index) };
    const complete = taking.length === part.shown.length;
    taken.push(complete ? part : plain(taking));
    if (!complete) {
      return { ...whole(taken), rest: [plain(part.shown.slice(taking.length)), ...parts.slice(index + 1)] };
    }
    left -= charactersIn(taking);
    leftOfOriginal -= part.original.length;
  }
  return { ...whole(taken), rest: [] };
}

/** The end of the text, by the same rules. */
export function tailOf(parts: readonly Part[], room: number, trusted = Number.POSITIVE_INFINITY): Excerpt {
  const taken: Part[] = [];
  let left = room;
  let leftOfOriginal = trusted;
  for (const part of parts.toReversed()) {
    const taking = part.what === 'plain' ? lastOf(part.shown, left, leftOfOriginal) : part.shown;
    if (charactersIn(taking) > left || leftOfOriginal <= 0) break;
    const complete = taking.length === part.shown.length;
    taken.push(complete ? part : plain(taking));
    if (!complete) break;
    left -= charactersIn(taking);
    leftOfOriginal -= part.original.length;
  }
  return whole(taken.reverse());
}

/** The beginning, with at most the given number of characters and UTF-16 units. */
function firstOf(text: string, characters: number, units: number): string {
  if (text.length <= Math.min(characters, units)) return text;
  const first = text.slice(0, Math.max(0, Math.min(2 * characters, units)));
  if (hasPairs(first)) return [...first].slice(0, characters).join('');
  return copied(first.slice(0, Math.max(0, characters)));
}

function lastOf(text: string, characters: number, units: number): string {
  if (text.length <= Math.min(characters, units)) return text;
  const size = Math.min(2 * characters, units);
  if (size <= 0) return '';
  const last = text.slice(-size);
  if (hasPairs(last)) return [...last].slice(-characters).join('');
  return copied(last.slice(-characters));
}

function hasPairs(text: string): boolean {
  return /[\ud800-\udfff]/.test(text);
}

/** A part of a text without surrogates, copied: V8 would keep the whole text in memory for a slice of it. */
function copied(part: string): string {
  return Buffer.from(part).toString();
}

function plain(text: string): Part {
  return { shown: text, original: text, what: 'plain' };
}
