import { isUtf8 } from 'node:buffer';
import type { Part } from '../../lib/redactor.ts';
import type { Cleaner } from '../exec/output-buffer.ts';
import { charactersIn } from '../exec/truncate.ts';
import type { ReadOptions, ReadPart } from '../proxmox-types.ts';

/** Bytes of a file as they were read: a part, with the bytes before and after it. */
export interface RawPart {
  readonly bytes: Buffer;
  /** How many of the bytes precede the part. */
  readonly before: number;
  /** Offset of the part in the file. */
  readonly start: number;
  /** Of the whole file. */
  readonly size: number;
  /** Of the whole file; null if it was not read as a whole. */
  readonly lines: number | null;
}

type Range = Pick<ReadOptions, 'line' | 'lines' | 'offset' | 'bytes' | 'characterLimit'>;

/** Whether the lines or bytes that were asked for contain a NUL byte. */
export function isBinary({ bytes, before }: RawPart, range: Range): boolean {
  const text = bytes.toString('latin1');
  return text.slice(before, endOfRange(text, before, 'latin1', range)).includes('\0');
}

/** The part as base64: the lines and bytes asked for, at most as many as fit the character limit. */
export function presentBinary(part: RawPart, range: Range): ReadPart {
  const text = part.bytes.toString('latin1');
  const end = Math.min(
    endOfRange(text, part.before, 'latin1', range),
    part.before + Math.floor(range.characterLimit / 4) * 3,
  );
  const shown = part.bytes.subarray(part.before, end);
  const shownUntil = part.start + shown.length;
  return {
    encoding: 'base64',
    content: shown.toString('base64'),
    start: part.start,
    end: shownUntil,
    firstLine: null,
    lastLine: null,
    totalLines: null,
    redacted: 0,
    next: shownUntil < part.size ? { offset: shownUntil } : null,
  };
}

/** The part as redacted text: at most the lines, bytes and characters asked for, and whole lines where that is possible. */
export async function presentText(part: RawPart, cleaner: Cleaner, range: Range): Promise<ReadPart> {
  const { codec, text, from, shift } = decode(part);
  const until = endOfRange(text, from, codec, range);
  const parts = await cleaner.parts(text);
  let taken = take(parts, from, until, range.characterLimit);
  if (taken.end < until) {
    const newline = text.lastIndexOf('\n', taken.end - 1);
    // A line that alone is longer than the limit is cut.
    if (newline >= from) taken = take(parts, from, newline + 1, range.characterLimit);
  }
  const original = text.slice(from, taken.end);
  const start = part.start + shift;
  const end = start + Buffer.byteLength(original, codec);
  const lines = lineNumbers(part, range, original);
  const next =
    end >= part.size
      ? null
      : range.offset === undefined && lines.last !== null && original.endsWith('\n')
        ? { line: lines.last + 1 }
        : { offset: end };
  return {
    encoding: codec === 'utf8' ? 'utf-8' : 'latin1',
    content: taken.text,
    start,
    end,
    firstLine: lines.first,
    lastLine: lines.last,
    totalLines: part.lines,
    redacted: taken.redacted,
    next,
  };
}

/**
 * Decodes all bytes as UTF-8 or, where they are none, as Latin-1, which has a character for each byte. A character that the
 * ends of the read bytes cut is left out.
 */
function decode({ bytes, before, start, size }: RawPart) {
  const first = start === before ? 0 : continuationBytes(bytes.subarray(0, 3));
  const atEnd = start - before + bytes.length >= size;
  const last = atEnd ? bytes.length : bytes.length - incompleteBytes(bytes);
  const whole = bytes.subarray(Math.min(first, before), Math.max(last, before));
  if (!isUtf8(whole))
    return { codec: 'latin1' as const, text: bytes.toString('latin1'), from: before, shift: 0 };
  const text = whole.toString('utf8');
  const lead = bytes.subarray(Math.min(first, before), before);
  // An offset may point into a character.
  const shift = start === 0 ? 0 : continuationBytes(bytes.subarray(before, before + 3));
  const from = Buffer.concat([lead, bytes.subarray(before, before + shift)]).toString('utf8').length;
  return { codec: 'utf8' as const, text, from, shift };
}

/** How many bytes at the beginning continue a character that begins before. */
function continuationBytes(bytes: Buffer): number {
  let count = 0;
  while (count < bytes.length && ((bytes[count] ?? 0) & 0xc0) === 0x80) count++;
  return count;
}

/** How many bytes at the end begin a character that continues after. */
function incompleteBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

/** The index in `text` where the lines or bytes that were asked for end. */
function endOfRange(text: string, from: number, codec: BufferEncoding, { lines, bytes }: Range): number {
  let end = text.length;
  if (lines !== undefined) {
    let at = from;
    for (let line = 0; line < lines && at < end; line++) {
      const newline = text.indexOf('\n', at);
      at = newline < 0 ? end : newline + 1;
    }
    end = at;
  }
  if (bytes !== undefined) {
    // At least one character, so that the next call does not begin at the same byte.
    const least =
      codec === 'utf8' && from < end
        ? Buffer.byteLength(String.fromCodePoint(text.codePointAt(from) ?? 0))
        : 0;
    const most = Math.max(bytes, least);
    const cut = Buffer.from(text.slice(from, end), codec).subarray(0, most);
    const whole =
      codec === 'utf8' && cut.length === most ? cut.subarray(0, cut.length - incompleteBytes(cut)) : cut;
    end = Math.min(end, from + whole.toString(codec).length);
  }
  return end;
}

/** The shown text of the original from `from` to `until`, at most `limit` characters. A placeholder is never cut. */
function take(parts: readonly Part[], from: number, until: number, limit: number) {
  let at = 0;
  let left = limit;
  let text = '';
  let redacted = 0;
  let end = from;
  for (const part of parts) {
    const [begin, finish] = [at, at + part.original.length];
    at = finish;
    if (finish <= from) continue;
    if (begin >= until || left <= 0) break;
    const plain = part.what === 'plain';
    const wanted = plain ? part.shown.slice(Math.max(0, from - begin), until - begin) : part.shown;
    const shown = plain ? firstCharacters(wanted, left) : wanted;
    const characters = charactersIn(shown);
    if (characters > left) break;
    text += shown;
    left -= characters;
    if (part.what === 'placeholder') redacted++;
    end = plain ? Math.max(from, begin) + shown.length : Math.min(finish, until);
    if (shown.length < wanted.length) break;
  }
  return { text, end, redacted };
}

function firstCharacters(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return [...text.slice(0, 2 * limit)].slice(0, limit).join('');
}

/** The numbers of the first and the last line that are shown; null where they are not known. */
function lineNumbers(part: RawPart, { line = 1, offset }: Range, original: string) {
  if (original === '') return { first: null, last: null };
  const known = offset === undefined ? firstLineOf(part, line) : part.start === 0 ? 1 : null;
  if (known === null) return { first: null, last: null };
  const newlines = original.split('\n').length - 1;
  return { first: known, last: known + newlines - (original.endsWith('\n') ? 1 : 0) };
}

function firstLineOf({ start, lines }: RawPart, line: number): number | null {
  if (line > 0) return line;
  if (start === 0) return 1;
  return lines === null ? null : Math.max(1, lines + line + 1);
}
