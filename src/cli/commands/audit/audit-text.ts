import type { AuditEntry } from '../../../governance/audit/audit-entry.ts';
import { codeOf, hasFailed, type RecordedCall } from '../../../governance/audit/call-history.ts';
import { columnWidths, padCells } from '../../../lib/columns.ts';
import { formatDuration } from '../../../lib/duration.ts';
import { shortToolName } from '../../../lib/tool-name.ts';
import { visible } from '../../../lib/visible.ts';
import type { Style } from '../../output/output.ts';

const HEADER = ['TIME', 'CALLER', 'TOOL', 'TARGET', 'DECISION', 'RESULT', 'TOOK', 'ARGUMENTS'] as const;
/** While it is not known yet what will come. */
const USUAL_WIDTHS = [19, 6, 22, 12, 16, 8, 7];
/** Wider than any column needs to be for people; --json has it all. */
const MAX_WIDTH = 32;
/** Of the arguments, where no terminal sets the width. */
const MAX_ARGUMENTS = 200;

/** A column of a table of calls, by its place in HEADER. */
type Column = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Which columns are shown, and how wide they are; the last one takes what is left. */
export interface Layout {
  readonly columns: readonly Column[];
  readonly widths: readonly number[];
}

/** From here on all columns fit. */
const WIDE = 120;
const ALL: readonly Column[] = [0, 1, 2, 3, 4, 5, 6, 7];
/** Time, target, tool, result and arguments. */
const NARROW: readonly Column[] = [0, 3, 2, 5, 7];

/**
 * The layout for a line of `room` characters (undefined: no terminal). Narrow terminals show fewer columns unless `wide`; the
 * caller is left out where all calls are local.
 * @param calls those that are shown; without them the usual widths hold, for calls that are to come
 */
export function layoutOf(
  room: number | undefined,
  wide: boolean,
  calls: readonly RecordedCall[] = [],
): Layout {
  const all = wide || room === undefined || room >= WIDE;
  const local = calls.length > 0 && calls.every(({ begun }) => begun.caller === 'local');
  const columns = (all ? ALL : NARROW).filter((column) => wide || column !== 1 || !local);
  if (calls.length === 0) return { columns, widths: columns.map((column) => USUAL_WIDTHS[column] ?? 0) };
  const rows = [HEADER, ...calls.map((call) => cellsOf(call))];
  const widths = columnWidths(rows);
  return { columns, widths: columns.map((column) => (column === 7 ? 0 : (widths[column] ?? 0))) };
}

export function headerText(style: Style, { columns, widths }: Layout): string {
  const cells = columns.map((column) => HEADER[column]);
  return `${style.dim(padCells(cells, widths).join('  '))}\n`;
}

/**
 * One call as a line: the columns of the layout, of which the last, the arguments, takes what is left of `room` characters.
 * @param running the call has just begun: that it has no end yet is no fault
 */
export function callText(
  call: RecordedCall,
  style: Style,
  room: number | undefined,
  { columns, widths }: Layout,
  running = false,
): string {
  const all = cellsOf(call, running);
  const cells = padCells(
    columns.map((column) => all[column] ?? ''),
    widths,
  );
  const fixed = cells.slice(0, -1);
  const left = room === undefined ? MAX_ARGUMENTS : Math.max(room - fixed.join('  ').length - 2, 10);
  const paints: Readonly<Partial<Record<Column, (text: string) => string>>> = {
    0: style.dim,
    2: style.bold,
    ...(call.begun.outcome === 'deny' ? { 4: style.red } : {}),
    5: resultPaint(call, style),
    6: style.dim,
  };
  const painted = fixed.map((cell, index) => (paints[columns[index] ?? 7] ?? String)(cell));
  return `${[...painted, cut(cells.at(-1) ?? '', left)].join('  ').trimEnd()}\n`;
}

/** What else stands on record: processes that begin and end, gaps. Undefined for what tells people nothing. */
export function eventText(record: AuditEntry, style: Style): string | undefined {
  const text = eventOf(record);
  if (text === undefined) return undefined;
  const line = `${timeOf(record.at)}  ${visible(text)}`;
  return `${record.type === 'gap' ? style.red(line) : style.dim(line)}\n`;
}

function eventOf(record: AuditEntry): string | undefined {
  switch (record.type) {
    case 'open':
      return record.continues === null
        ? `process ${record.pid} on ${record.host} began session ${record.session} (version ${record.version})`
        : undefined;
    case 'closed':
      return `session ${record.session} ended in order`;
    case 'gap':
      return `${record.refused} calls or records could not be recorded and were refused since ${record.since}: ${record.reason}`;
    default:
      return undefined;
  }
}

function cellsOf(call: RecordedCall, running = false): readonly string[] {
  const { begun, end } = call;
  const target = [begun.vmid ?? '–', begun.name].filter((part) => part !== null).join(' ');
  const decision = `${begun.outcome === 'confirm' && begun.approval !== null ? 'confirmed' : begun.outcome}: ${begun.rule}`;
  return [
    timeOf(begun.at),
    short(begun.caller),
    short(shortToolName(begun.tool)),
    short(target),
    short(decision),
    resultOf(call, running),
    end === undefined ? '' : formatDuration(end.durationMs),
    argumentsOf(begun.args),
  ];
}

function resultOf(call: RecordedCall, running: boolean): string {
  const { end } = call;
  const code = codeOf(call);
  if (code === undefined) return running ? 'running' : 'no end';
  const left = end?.survivors ? `, ${end.survivors} left` : '';
  if (code !== 'ok') return short(code) + left;
  return end?.exitCode ? `exit ${end.exitCode}` : `ok${left}`;
}

function resultPaint(call: RecordedCall, style: Style): (text: string) => string {
  const code = codeOf(call);
  if (code === undefined) return style.yellow;
  if (code !== 'ok') return style.red;
  return hasFailed(call) ? style.yellow : style.green;
}

/** `command="df -h" timeout=30`; the vmid has a column of its own. */
function argumentsOf(args: Readonly<Record<string, unknown>>): string {
  return visible(
    Object.entries(args)
      .filter(([name]) => name !== 'vmid')
      .map(([name, value]) => `${plain(name) ? name : JSON.stringify(name)}=${shown(value)}`)
      .join(' '),
  );
}

function shown(value: unknown): string {
  return typeof value === 'string' && plain(value) ? value : JSON.stringify(value);
}

function plain(text: string): boolean {
  return /^[\w./:@%+,-]+$/.test(text);
}

/** The local time, as this is for people who are here; --json has UTC. */
function timeOf(at: string): string {
  const time = new Date(at);
  const two = (number: number) => String(number).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
}

/** On one line, whatever it is. */
function short(text: string): string {
  return cut(visible(text.replace(/\s+/g, ' ')), MAX_WIDTH);
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
