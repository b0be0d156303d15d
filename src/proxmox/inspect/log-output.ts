import { charactersIn } from '../exec/truncate.ts';
import { isJournalCursor, type LogCursor } from './log-cursor.ts';
import type { LogRefusal } from './log-errors.ts';
import type { LogLine, LogRequest, SimilarFile } from './log-types.ts';
import { integer, oneLine, withoutPartialWord } from './plain-text.ts';

/** Lines are cut after this many bytes in the container. */
const LINE_BYTES = 4000;

const MOST_SIMILAR = 12;

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
  for (const line of head.split('\n')) {
    if (!line.startsWith(`${word} `)) continue;
    const [name = '', ...fields] = line.slice(word.length + 1).split(' ');
    if (name === 'near') {
      const [bytes, ...path] = fields;
      similar.push({ path: oneLine(path.join(' ')), bytes: integer(bytes) });
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
  const rows = rowsOf(isCut ? raw.slice(raw.indexOf('\n') + 1) : raw, request, start === 0);
  const shown = newest(rows, request.characterLimit);
  const seen = cursor?.seen ?? 0;
  // Without a match, only the end of the journal is read, so that its lines are not counted.
  const isNumbered = request.path !== undefined || request.match !== undefined;
  const last = rows.at(-1)?.at;
  const counted = integer(report.get('total')?.[0]);
  const total =
    counted ?? (isNumbered && !request.countOnly ? (last === undefined ? seen : last + seen) : null);
  const remaining = isNumbered && !request.countOnly ? (shown[0]?.at ?? 1) - 1 : null;
  const hasOlder =
    shown.length > 0 &&
    (remaining ?? (rows.length >= request.lines || shown.length < rows.length ? 1 : 0)) > 0;
  const older = { seen: seen + shown.length };
  const page = { lines: shown.map(({ number, text, kind }) => ({ number, text, kind })), total, remaining };
  const journal = report.get('journal')?.[0];
  if (file !== undefined && /^\d{1,10}:\d{1,20}$/.test(file)) {
    // Later lines continue where complete lines end.
    const next = integer(complete);
    return {
      ...page,
      older: hasOlder ? { kind: 'file', file, first: start, end: integer(size), ...older } : null,
      newer: seen > 0 || next === null ? null : { kind: 'file', file, first: next, end: null, seen: 0 },
    };
  }
  if (journal === undefined || !isJournalCursor(journal)) return { ...page, older: null, newer: null };
  const after = cursor?.kind === 'journal' ? cursor.after : null;
  return {
    ...page,
    older: hasOlder ? { kind: 'journal', after, newest: journal, ...older } : null,
    newer: seen > 0 ? null : { kind: 'journal', after: journal, newest: null, seen: 0 },
  };
}

/** `NUMBER:TEXT` lines; of a file with a match, TEXT is `LINE:TEXT`, or `LINE-TEXT` for context. */
function rowsOf(
  raw: string,
  { path, match, context, since, until }: LogRequest,
  isFromStart: boolean,
): readonly Row[] {
  // Lines that since and until leave out are not counted.
  const fromStart = isFromStart && since === undefined && until === undefined;
  return raw.split('\n').flatMap((line): Row[] => {
    const [, at, whole = ''] = /^(\d{1,15}):(.*)$/s.exec(line) ?? [];
    if (at === undefined) return [];
    const isLong = Buffer.byteLength(line) >= LINE_BYTES;
    const rest = isLong ? `${withoutPartialWord(whole)}…` : whole;
    if (match !== undefined && context > 0 && rest === '--')
      return [{ at: Number(at), number: null, text: '--', kind: 'gap' }];
    if (path === undefined) return [{ at: Number(at), number: null, text: rest, kind: 'match' }];
    if (match === undefined) {
      return [{ at: Number(at), number: fromStart ? Number(at) : null, text: rest, kind: 'match' }];
    }
    const [, number, mark, text = ''] = /^(\d{1,15})([:-])(.*)$/s.exec(rest) ?? [];
    return [
      {
        at: Number(at),
        number: fromStart && number !== undefined ? Number(number) : null,
        text: number === undefined ? rest : text,
        kind: mark === '-' ? 'context' : 'match',
      },
    ];
  });
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
