import { charactersIn } from '../exec/truncate.ts';
import { isJournalCursor, type LogCursor } from './log-cursor.ts';
import type { LogRefusal } from './log-errors.ts';
import type { LogGroup, LogGroups, LogLine, LogRequest, SimilarFile, UnitCount } from './log-types.ts';
import { integer, oneLine, withoutPartialWord } from './plain-text.ts';

/** Lines are cut after this many bytes in the container. */
const LINE_BYTES = 4000;
/** And examples of groups after this many. */
const EXAMPLE_BYTES = 300;

const MOST_SIMILAR = 12;
const MOST_UNITS = 20;
/** Files of a pattern, and the same limit of units of which there are no entries. */
const MOST_FILES = 200;
const MOST_GROUPS = 200;
/** A name of a unit of systemd, and that of a unit of a user's own systemd after a slash. */
const UNIT = /^[\w:.@\\/-]{1,512}$/;

interface Page {
  readonly lines: readonly LogLine[];
  readonly total: number | null;
  readonly first: LogLine | null;
  readonly last: LogLine | null;
  readonly remaining: number | null;
  readonly older: LogCursor | null;
  readonly newer: LogCursor | null;
}

interface Row extends LogLine {
  /** Its number among the lines that match, context included. */
  readonly at: number;
}

/** The answer of the log script. It comes from the container, so it is not trusted: numbers are checked. */
export function parseLogOutput(output: Buffer, word: string, bytes: number) {
  const text = output.toString('utf8');
  const [head = '', body = ''] = split(text, `${word} lines\n`);
  const report = new Map<string, readonly string[]>();
  const similar: SimilarFile[] = [];
  const units: UnitCount[] = [];
  const files: SimilarFile[] = [];
  const groups: LogGroup[] = [];
  const silentUnits: string[] = [];
  for (const line of head.split('\n')) {
    if (!line.startsWith(`${word} `)) continue;
    const [name = '', ...fields] = line.slice(word.length + 1).split(' ');
    if (name === 'near' || name === 'set') {
      const [bytes, ...path] = fields;
      (name === 'near' ? similar : files).push({ path: oneLine(path.join(' ')), bytes: integer(bytes) });
    } else if (name === 'silent') silentUnits.push(oneLine(fields.join(' ')));
    else if (name === 'group') groups.push(groupOf(fields.join(' ')));
    else if (name === 'unit') {
      const [lines, ...unit] = fields;
      units.push({ name: oneLine(unit.join(' ')), lines: integer(lines) ?? 0 });
    } else {
      report.set(name, fields);
    }
  }
  const failed = report.get('failed');
  const failure: LogRefusal | null =
    failed === undefined ? null : { code: failed[0] ?? '', text: failed.slice(1).join(' ') };
  // Without lines, the head has all of the report.
  const isDamaged =
    report.has('broken') || body.includes(`\n${word} broken `) || body.startsWith(`${word} broken `);
  const all = body.split(`${word} broken`)[0]?.split(`${word} ended`)[0] ?? '';
  const mark = `${word} first `;
  const [before, raw] = all.startsWith(mark) ? split(all.slice(mark.length), '\n') : ['', all];
  const reported = (name: string) => report.get(name)?.join(' ') ?? '';
  const ends = { first: before === '' ? reported('first') : before, last: reported('last') };
  return {
    failure:
      failure ?? (report.has('file') || report.has('journal') ? null : { code: 'IO', text: 'no answer' }),
    rotated: report.has('rotated'),
    silentUnits: silentUnits.slice(0, MOST_FILES),
    files: files.slice(0, MOST_FILES),
    groups: groupsOf(groups.slice(0, MOST_GROUPS), report.get('groups')),
    damaged: isDamaged,
    similar: similar.slice(0, MOST_SIMILAR),
    units: units.slice(0, MOST_UNITS),
    unitsTotal: integer(report.get('names')?.[0]),
    page: (request: LogRequest, cursor: LogCursor | null) =>
      pageOf(
        { report, raw, ends, isCut: Buffer.byteLength(raw) >= bytes, isSeveral: files.length > 0 },
        request,
        cursor,
      ),
  };
}

/** `LINES<tab>FIRST<tab>LAST<tab>TEXT` */
function groupOf(line: string): LogGroup {
  const [lines, first = '', last = '', ...rest] = line.split('\t');
  const example = rest.join(' ');
  return {
    lines: integer(lines) ?? 0,
    first: oneLine(first, 60),
    last: oneLine(last, 60),
    text:
      Buffer.byteLength(example) >= EXAMPLE_BYTES
        ? `${oneLine(withoutPartialWord(example), 400)}…`
        : oneLine(example, 400),
  };
}

function groupsOf(shown: readonly LogGroup[], numbers: readonly string[] | undefined): LogGroups | null {
  if (numbers === undefined) return null;
  const [total = 0, droppedLines = 0, error = 0] = numbers.map((number) => integer(number) ?? 0);
  return { shown, total, droppedLines, error };
}

function split(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

interface RawPage {
  readonly report: ReadonlyMap<string, readonly string[]>;
  readonly raw: string;
  /** The first and the last match where they are reported apart; empty if not. */
  readonly ends: { readonly first: string; readonly last: string };
  readonly isCut: boolean;
  /** Whether the lines are from several files. */
  readonly isSeveral: boolean;
}

function pageOf(
  { report, raw, ends, isCut, isSeveral }: RawPage,
  request: LogRequest,
  cursor: LogCursor | null,
): Page {
  const [file, begin, size, complete] = report.get('file') ?? [];
  const start = integer(begin) ?? 0;
  const isHead = request.keep === 'head';
  const whole = !isCut
    ? raw
    : isHead
      ? raw.slice(0, raw.lastIndexOf('\n') + 1)
      : raw.slice(raw.indexOf('\n') + 1);
  const isFromStart = start === 0 && !isSeveral;
  const lineOf = { isFromStart, hasUnits: report.has('units') };
  const rows = rowsOf(whole, request, lineOf);
  const single = (text: string) => rowsOf(text, request, lineOf)[0];
  const shown = isHead ? oldest(rows, request.characterLimit) : newest(rows, request.characterLimit);
  const seen = cursor?.seen ?? 0;
  const matches = rows.filter(({ kind }) => kind === 'match').length;
  const hasMore = isHead && (shown.length < rows.length || isCut || matches >= request.lines);
  // Without a match, only the end of the journal is read, so that its lines are not counted.
  const isNumbered = !isHead && (request.path !== undefined || request.match !== undefined);
  const isCounted = request.countOnly || request.group !== undefined;
  const last = rows.at(-1)?.at;
  const counted = integer(report.get('total')?.[0]);
  const total = counted ?? (isNumbered && !isCounted ? (last === undefined ? seen : last + seen) : null);
  const remaining = isNumbered && !isCounted ? (shown[0]?.at ?? 1) - 1 : null;
  const hasOlder =
    !isHead &&
    shown.length > 0 &&
    (remaining ?? (rows.length >= request.lines || shown.length < rows.length ? 1 : 0)) > 0;
  const clock = integer(report.get('clock')?.[0]);
  const further = { seen: seen + shown.length, clock };
  const lines = shown.map(withoutPosition);
  const first = single(ends.first);
  const lastRow = single(ends.last);
  const isApart = first !== undefined && first.at < (shown[0]?.at ?? Number.POSITIVE_INFINITY);
  const page = {
    lines,
    total,
    remaining,
    first: isApart ? withoutPosition(first) : null,
    last: lastRow === undefined ? null : withoutPosition(lastRow),
  };
  const journal = report.get('journal')?.[0];
  // An older page has no cursor for later lines, because an earlier page had it. No line is written before `until`.
  const isLast = (isHead ? !hasMore : seen === 0) && request.until === undefined;
  if (file !== undefined && /^\d{1,10}:\d{1,20}$/.test(file)) {
    const place = { kind: 'file', file } as const;
    // Later lines continue where complete lines end.
    const next = integer(complete);
    const later = isLast && next !== null ? { ...place, first: next, end: null, seen: 0, clock } : null;
    return {
      ...page,
      older: hasOlder ? { ...place, first: start, end: integer(size), ...further } : null,
      newer: hasMore ? { ...place, first: start, end: null, ...further } : later,
    };
  }
  if (journal === undefined || !isJournalCursor(journal)) return { ...page, older: null, newer: null };
  const after = cursor?.kind === 'journal' ? cursor.after : null;
  const here = { kind: 'journal', after, newest: journal, ...further } as const;
  const later = isLast ? ({ kind: 'journal', after: journal, newest: null, seen: 0, clock } as const) : null;
  return { ...page, older: hasOlder ? here : null, newer: hasMore ? here : later };
}

/**
 * `NUMBER:TEXT` lines. Of a file with a match, TEXT is `LINE:TEXT`, or `LINE-TEXT` for context; of a journal with units,
 * `LINE:UNIT<tab>TEXT`, whatever the match.
 */
function rowsOf(
  raw: string,
  { path, match, context, since, until }: LogRequest,
  { isFromStart, hasUnits }: { readonly isFromStart: boolean; readonly hasUnits: boolean },
): readonly Row[] {
  // Lines that since and until leave out are not counted.
  const fromStart = isFromStart && since === undefined && until === undefined;
  return raw.split('\n').flatMap((line): Row[] => {
    const [, at, whole = ''] = /^(\d{1,15}):(.*)$/s.exec(line) ?? [];
    if (at === undefined) return [];
    const isLong = Buffer.byteLength(line) >= LINE_BYTES;
    const rest = isLong ? `${withoutPartialWord(whole)}…` : whole;
    if (match !== undefined && context > 0 && rest === '--')
      return [{ at: Number(at), number: null, text: '--', kind: 'gap', unit: null }];
    if (path === undefined) {
      const [, mark, unit = '', entry] =
        (hasUnits ? /^\d{1,15}([:-])([^\t]*)\t(.*)$/s.exec(rest) : undefined) ?? [];
      return [
        {
          at: Number(at),
          number: null,
          text: entry ?? rest,
          kind: mark === '-' ? 'context' : 'match',
          unit: UNIT.test(unit) ? unit : null,
        },
      ];
    }
    if (match === undefined) {
      return [
        { at: Number(at), number: fromStart ? Number(at) : null, text: rest, kind: 'match', unit: null },
      ];
    }
    const [, number, mark, text = ''] = /^(\d{1,15})([:-])(.*)$/s.exec(rest) ?? [];
    return [
      {
        at: Number(at),
        number: fromStart && number !== undefined ? Number(number) : null,
        text: number === undefined ? rest : text,
        kind: mark === '-' ? 'context' : 'match',
        unit: null,
      },
    ];
  });
}

function withoutPosition({ at, ...line }: Row): LogLine {
  return line;
}

/** The first of the rows that fit into the limit, at least one. */
function oldest(rows: readonly Row[], limit: number): readonly Row[] {
  let room = limit;
  const past = rows.findIndex(({ text }, index) => {
    room -= charactersIn(text) + 10;
    return room < 0 && index > 0;
  });
  return past < 0 ? rows : rows.slice(0, past);
}

/** The last of the rows that fit into the limit, at least one. */
function newest(rows: readonly Row[], limit: number): readonly Row[] {
  let room = limit;
  let at = rows.length;
  while (at > 0) {
    const row = rows[at - 1];
    // With its number, a colon and a newline.
    room -= charactersIn(row?.text ?? '') + 10;
    if (room < 0 && at < rows.length) break;
    at--;
  }
  return rows.slice(at);
}
