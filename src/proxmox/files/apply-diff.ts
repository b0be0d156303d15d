import { AppError } from '../../lib/errors.ts';
import { findLines } from './find-lines.ts';

/** A hunk of a unified diff. Texts have one character for each byte. */
interface Hunk {
  /** The line, from 1, at which the diff says that it begins; undefined: it says none. */
  readonly begin: number | undefined;
  /** Context and removed lines. */
  readonly old: readonly string[];
  /** Each context line by its index in `old`, and each added line. */
  readonly result: readonly (number | string)[];
  /** Whether the diff marks the last old and the last new line as unfinished. */
  readonly oldUnfinished: boolean;
  readonly newUnfinished: boolean;
}

interface Line {
  readonly text: string;
  /** `\n`, `\r\n`, or empty for an unfinished last line. */
  readonly end: string;
}

const UNFINISHED: Line = { text: '', end: '' };

/**
 * The content of a file after a unified diff for it. Each hunk must match exactly, at the line that it names or at one other
 * place only. The line counts of the hunks are not needed. Works on bytes; context lines keep their line ends, added lines get
 * those of the file.
 * @throws AppError INVALID_INPUT if it is no diff of one file, EDIT_FAILED if a hunk does not match
 */
export function applyDiff(content: Buffer, diff: string): Buffer {
  const lines = linesOf(content.toString('latin1'));
  const crlf = lines.filter(({ end }) => end === '\r\n').length * 2 > lines.length;
  const usual = crlf ? '\r\n' : '\n';
  const hunks = parseHunks(Buffer.from(diff, 'utf8').toString('latin1'));
  const texts = lines.map(({ text }) => text);
  const done: Line[] = [];
  let at = 0;
  for (const [index, hunk] of hunks.entries()) {
    const place = placeOf(hunk, texts, at, index + 1);
    while (at < place) done.push(lines[at++] ?? UNFINISHED);
    for (const line of changed(hunk, lines, place, usual)) done.push(line);
    at = place + hunk.old.length;
  }
  while (at < lines.length) done.push(lines[at++] ?? UNFINISHED);
  // Lines may have been added after a last line without an end.
  const text = done.map(
    ({ text, end }, index) => text + (end === '' && index < done.length - 1 ? usual : end),
  );
  return Buffer.from(text.join(''), 'latin1');
}

function linesOf(text: string): readonly Line[] {
  return (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).map((line) => {
    const end = line.endsWith('\r\n') ? '\r\n' : line.endsWith('\n') ? '\n' : '';
    return { text: line.slice(0, line.length - end.length), end };
  });
}

function parseHunks(diff: string): readonly Hunk[] {
  const lines = diff.replaceAll('\r\n', '\n').split('\n');
  // Not only `--- ` and `+++ `, which removed and added lines may begin with as well.
  const files = lines.filter(
    (line, index) =>
      line.startsWith('--- ') && lines[index + 1]?.startsWith('+++ ') && lines[index + 2]?.startsWith('@@'),
  );
  if (files.length > 1) throw invalidDiff('it changes more than one file');
  const heads = lines.flatMap((line, index) => (/^@@/.test(line) ? [index] : []));
  if (heads.length === 0) throw invalidDiff('it has no line that begins with @@');
  return heads.map((at, index) => {
    const head = lines[at] ?? '';
    const body = lines.slice(at + 1, heads[index + 1] ?? lines.length);
    // The newline at the end of the diff, not an empty context line.
    if (index === heads.length - 1 && body.at(-1) === '') body.pop();
    return parseHunk(head, withoutBlankEnd(head, body));
  });
}

/** Without empty lines at the end that are more than the hunk says it has. */
function withoutBlankEnd(head: string, body: readonly string[]): readonly string[] {
  const [, counted] = /^@@ -\d+,(\d+) /.exec(head) ?? [];
  if (counted === undefined) return body;
  let spare = body.filter((line) => /^([ -]|$)/.test(line)).length - Number(counted);
  let end = body.length;
  while (spare > 0 && body[end - 1] === '') {
    end--;
    spare--;
  }
  return body.slice(0, end);
}

function parseHunk(head: string, body: readonly string[]): Hunk {
  const old: string[] = [];
  const result: (number | string)[] = [];
  let oldUnfinished = false;
  let newUnfinished = false;
  let last = ' ';
  for (const line of body) {
    const sign = line === '' ? ' ' : line.charAt(0);
    const text = line.slice(1);
    if (sign === '\\') {
      oldUnfinished ||= last !== '+';
      newUnfinished ||= last !== '-';
    } else if (sign === '+') result.push(text);
    else if (sign === ' ' || sign === '-') {
      if (sign === ' ') result.push(old.length);
      old.push(text);
    } else
      throw invalidDiff(`the line ${JSON.stringify(line.slice(0, 60))} begins with none of blank, + and -`);
    last = sign;
  }
  const begin = /^@@ -(\d+)(?:,\d+)? /.exec(head)?.[1];
  return {
    begin: begin === undefined ? undefined : Number(begin),
    old,
    result,
    oldUnfinished,
    newUnfinished,
  };
}

/** The index of the line at which a hunk matches. */
function placeOf({ begin, old }: Hunk, lines: readonly string[], from: number, number: number): number {
  const matches = (place: number) => old.every((text, offset) => lines[place + offset] === text);
  // A hunk of added lines alone follows the line that it names.
  if (old.length === 0) {
    const place = begin ?? (lines.length === 0 ? 0 : undefined);
    if (place !== undefined && place >= from && place <= lines.length) return place;
    throw notApplied(number, 'has no lines to find its place by');
  }
  if (begin !== undefined && begin - 1 >= from && matches(begin - 1)) return begin - 1;
  const places = findLines(lines, old, from);
  const [place, other] = places;
  if (place === undefined) throw notApplied(number, 'does not match the file');
  if (other !== undefined) {
    throw notApplied(
      number,
      `matches in ${places.length} places (lines ${places
        .slice(0, 5)
        .map((each) => each + 1)
        .join(', ')})`,
    );
  }
  return place;
}

/** The lines that replace the old ones. */
function changed(hunk: Hunk, lines: readonly Line[], place: number, usual: string): readonly Line[] {
  const made = hunk.result.map((each): Line => {
    if (typeof each === 'string') return { text: each, end: usual };
    return lines[place + each] ?? UNFINISHED;
  });
  const end = place + hunk.old.length;
  const last = made.at(-1);
  if (last === undefined) return made;
  // Only what becomes the last line of the file may be unfinished.
  const atEnd = end >= lines.length;
  const unfinished = lines.at(-1)?.end === '' && lines.length > 0;
  const keepsUnfinished = unfinished && !hunk.oldUnfinished;
  const ends = atEnd && (hunk.newUnfinished || keepsUnfinished) ? '' : last.end === '' ? usual : last.end;
  return [
    // An unfinished line that is no longer the last one.
    ...made.slice(0, -1).map((line) => (line.end === '' ? { ...line, end: usual } : line)),
    { ...last, end: ends },
  ];
}

function invalidDiff(why: string): AppError {
  return new AppError(
    'INVALID_INPUT',
    `The argument \`diff\` is not a unified diff of one file: ${why}. The file was not changed.`,
    'Send hunks that begin with a line `@@ -LINE +LINE @@`, or use `edits`.',
  );
}

function notApplied(number: number, why: string): AppError {
  return new AppError(
    'EDIT_FAILED',
    `Hunk ${number} of the diff ${why}. The file was not changed.`,
    'Read the lines with proxmox_read_file, and create the diff from them, with three lines of context.',
  );
}
