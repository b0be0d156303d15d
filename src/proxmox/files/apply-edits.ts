import { AppError } from '../../lib/errors.ts';
import type { Replacement } from '../proxmox-types.ts';

/**
 * The content of a file with exact replacements, one after the other. Works on bytes, so that what is not UTF-8 is kept.
 * In a file whose lines all end in CRLF, the line ends of the replacements become CRLF.
 * @throws AppError EDIT_FAILED if a text does not occur, or occurs more than once without `replace_all`
 */
export function applyEdits(content: Buffer, edits: readonly Replacement[]): Buffer {
  let text = content.toString('latin1');
  const crlf = endsAllLinesInCrlf(text);
  for (const [index, edit] of edits.entries()) {
    const old = bytesOf(edit.old, crlf);
    const changed = bytesOf(edit.new, crlf);
    const places = occurrences(text, old);
    const which = edits.length === 1 ? 'The text `old`' : `The text \`old\` of edit ${index + 1}`;
    if (places.length === 0) throw notFound(which, text, edit.old);
    if (places.length > 1 && !edit.replaceAll) throw ambiguous(which, text, places);
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
  return new AppError(
    'EDIT_FAILED',
    `${which} does not occur in the file.${hint} The file was not changed.`,
    'Read the lines with proxmox_read_file, and copy them exactly, including all spaces and tabs.',
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
  const at = lines.findIndex((_, index) =>
    pattern.every((line, offset) => lines[index + offset]?.bare === line),
  );
  return lines[at]?.number;
}
