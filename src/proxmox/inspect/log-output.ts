import { charactersIn } from '../exec/truncate.ts';
import { isJournalCursor, type LogCursor } from './log-cursor.ts';
import type { LogRefusal } from './log-errors.ts';
import type { LogLine, LogRequest, SimilarFile, UnitCount } from './log-types.ts';
import { integer, oneLine, withoutPartialWord } from './plain-text.ts';

/** Lines are cut after this many bytes in the container. */
const LINE_BYTES = 4000;

const MOST_SIMILAR = 12;
const MOST_UNITS = 20;
/** A name of a unit of systemd, and that of a unit of a user's own systemd after a slash. */
const UNIT = /^[\w:.@\\/-]{1,512}$/;

interface Page {
  readonly lines: readonly LogLine[];
  readonly total: number | null;
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
  for (const line of head.split('\n')) {
    if (!line.startsWith(`${word} `)) continue;
    const [name = '', ...fields] = line.slice(word.length + 1).split(' ');
    if (name === 'near') {
      const [bytes, ...path] = fields;
      similar.push({ path: oneLine(path.join(' ')), bytes: integer(bytes) });
    } else if (name === 'unit') {
      const [lines, ...unit] = fields;
      units.push({ name: oneLine(unit.join(' ')), lines: integer(lines) ?? 0 });
    } else report.set(name, fields);
  }
  const failed = report.get('failed');
  const failure: LogRefusal | null =
    failed === undefined ? null : { code: failed[0] ?? '', text: failed.slice(1).join(' ') };
  // Without lines, the head has all of the report.
  const isDamaged =
    report.has('broken') || body.includes(`\n${word} broken `) || body.startsWith(`${word} broken `);
  const raw = body.split(`${word} broken`)[0]?.split(`${word} ended`)[0] ?? '';
  return {
    failure:
      failure ?? (report.has('file') || report.has('journal') ? null : { code: 'IO', text: 'no answer' }),
    rotated: report.has('rotated'),
    isUnitSilent: report.has('silent'),
    damaged: isDamaged,
    similar: similar.slice(0, MOST_SIMILAR),
    units: units.slice(0, MOST_UNITS),
    unitsTotal: integer(report.get('names')?.[0]),
    page: (request: LogRequest, cursor: LogCursor | null) =>
      pageOf({ report, raw, isCut: Buffer.byteLength(raw) >= bytes }, request, cursor),
  };
}

function split(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function pageOf(
  { report, raw, isCut }: { report: ReadonlyMap<string, readonly string[]>; raw: string; isCut: boolean },
  request: LogRequest,
  cursor: LogCursor | null,
): Page {
  const [file, first, size, complete] = report.get('file') ?? [];
  const start = integer(first) ?? 0;
  const isHead = request.keep === 'head';
  const whole = !isCut
    ? raw
    : isHead
      ? raw.slice(0, raw.lastIndexOf('\n') + 1)
      : raw.slice(raw.indexOf('\n') + 1);
  const rows = rowsOf(whole, request, { isFromStart: start === 0, hasUnits: report.has('units') });
  const shown = isHead ? oldest(rows, request.characterLimit) : newest(rows, request.characterLimit);
  const seen = cursor?.seen ?? 0;
  const matches = rows.filter(({ kind }) => kind === 'match').length;
  const hasMore = isHead && (shown.length < rows.length || isCut || matches >= request.lines);
  // Without a match, only the end of the journal is read, so that its lines are not counted.
  const isNumbered = !isHead && (request.path !== undefined || request.match !== undefined);
  const last = rows.at(-1)?.at;
  const counted = integer(report.get('total')?.[0]);
  const total =
    counted ?? (isNumbered && !request.countOnly ? (last === undefined ? seen : last + seen) : null);
  const remaining = isNumbered && !request.countOnly ? (shown[0]?.at ?? 1) - 1 : null;
  const hasOlder =
    !isHead &&
    shown.length > 0 &&
    (remaining ?? (rows.length >= request.lines || shown.length < rows.length ? 1 : 0)) > 0;
  const clock = integer(report.get('clock')?.[0]);
  const further = { seen: seen + shown.length, clock };
  const lines = shown.map(({ at, ...line }) => line);
  const page = { lines, total, remaining };
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
