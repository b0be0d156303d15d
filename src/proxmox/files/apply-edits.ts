import { isUtf8 } from 'node:buffer';
import { AppError } from '../../lib/errors.ts';
import type { Replacement } from '../proxmox-types.ts';
import { findLines } from './find-lines.ts';

/** A larger file is hardly one that is edited by hand, and could not be edited again. */
export const MAX_EDITED = 1024 * 1024;

/**
 * The content of a file with exact replacements, one after the other. Works on bytes, so that what is not UTF-8 is kept.
 * In a file whose lines all end in CRLF, the line ends of the replacements become CRLF.
 * @throws AppError EDIT_FAILED if a text does not occur, or occurs more than once without `replace_all`; FILE_TOO_LARGE
 */
export function applyEdits(content: Buffer, edits: readonly Replacement[]): Buffer {
  let text = content.toString('latin1');
  const crlf = endsAllLinesInCrlf(text);
  for (const [index, edit] of edits.entries()) {
    const old = bytesOf(edit.old, crlf);
    const changed = bytesOf(edit.new, crlf);
    const places = edit.replaceAll ? occurrences(text, old) : overlapping(text, old);
    const which = edits.length === 1 ? 'The text `old`' : `The text \`old\` of edit ${index + 1}`;
    if (places.length === 0) throw notFound(which, text, edit.old);
    if (places.length > 1 && !edit.replaceAll) throw ambiguous(which, text, places);
    // Before it is made: there may be a million places for 50,000 characters each.
    const size = text.length + places.length * (changed.length - old.length);
    if (size > Math.max(MAX_EDITED, text.length)) throw tooLarge('would have', size);
    text = text.split(old).join(changed);
  }
  return Buffer.from(text, 'latin1');
}

/** Whether the file has lines, and all of them end in CRLF. */
export function endsAllLinesInCrlf(text: string): boolean {
  return text.includes('\r\n') && !/(?:^|[^\r])\n/.test(text);
}

/** The bytes of a text as a string with one character for each byte. */
function bytesOf(text: string, crlf: boolean): string {
  const ended = crlf ? text.replaceAll(/\r?\n/g, '\r\n') : text;
  return Buffer.from(ended, 'utf8').toString('latin1');
}

/** Offsets of all occurrences that do not overlap. */
function occurrences(text: string, wanted: string): readonly number[] {
  const places: number[] = [];
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) places.push(at);
  return places;
}

/** The same, with a second one that overlaps the first: `aa` does not occur exactly once in `aaa`. */
function overlapping(text: string, wanted: string): readonly number[] {
  const places = occurrences(text, wanted);
  const [place] = places;
  if (place === undefined || places.length > 1) return places;
  const other = text.indexOf(wanted, place + 1);
  return other < 0 ? places : [place, other];
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

const MAX_NAMED = 5;

function ambiguous(which: string, text: string, places: readonly number[]): AppError {
  const lines = places.slice(0, MAX_NAMED).map((at) => lineAt(text, at));
  const more = places.length > MAX_NAMED ? ' …' : '';
  return new AppError(
    'EDIT_FAILED',
    `${which} occurs ${places.length} times (lines ${lines.join(', ')}${more}). The file was not changed.`,
    'Add the lines around it until it is unique, or set replace_all to true.',
  );
}

function notFound(which: string, text: string, wanted: string): AppError {
  const near = lineThatDiffersInBlanks(text, wanted);
  const hint = near === undefined ? '' : ` Line ${near} differs from it only in blanks.`;
  // Texts arrive as UTF-8, and were shown as Latin-1.
  const encoded = hasOtherEncoding(text, wanted);
  return new AppError(
    'EDIT_FAILED',
    `${which} does not occur in the file.${hint}${encoded ? ' The file is not UTF-8, as which the text is compared.' : ''} The file was not changed.`,
    encoded
      ? 'Use a part of the line that has ASCII characters only.'
      : 'Read the lines with proxmox_read_file, and copy them exactly, including all spaces and tabs.',
  );
}

/** Whether the text has characters that a file which is not UTF-8 has in another encoding. */
function hasOtherEncoding(text: string, wanted: string): boolean {
  return Buffer.byteLength(wanted) > wanted.length && !isUtf8(Buffer.from(text, 'latin1'));
}

export function tooLarge(has: 'has' | 'would have', size: number | string, limit = MAX_EDITED): AppError {
  return new AppError(
    'FILE_TOO_LARGE',
    `The file ${has} ${size} bytes; the limit of an edit is ${limit}. The file was not changed.`,
    'Change it with a command such as sed, or upload the whole file.',
  );
}

/** The number of the line at which the wanted lines begin if blanks are ignored. */
function lineThatDiffersInBlanks(text: string, wanted: string): number | undefined {
  const bare = (line: string) => line.replaceAll(/\s+/g, '');
  const pattern = bytesOf(wanted, false)
    .split('\n')
    .map(bare)
    .filter((line) => line !== '');
  if (pattern.length === 0) return undefined;
  const lines = text
    .split('\n')
    .map((line, index) => ({ bare: bare(line), number: index + 1 }))
    .filter((line) => line.bare !== '');
  const [at = -1] = findLines(
    lines.map((line) => line.bare),
    pattern,
  );
  return lines[at]?.number;
}
