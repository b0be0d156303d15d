import type { AuditEntry } from '../../../governance/audit/audit-entry.ts';
import { codeOf, hasFailed, type LoggedCall } from '../../../governance/audit/call-history.ts';
import { columnWidths, padCells } from '../../../lib/columns.ts';
import { formatDuration } from '../../../lib/duration.ts';
import { localTime } from '../../../lib/local-time.ts';
import { shortToolName } from '../../../lib/tool-name.ts';
import { visible } from '../../../lib/visible.ts';
import type { Style } from '../../output/output.ts';

const HEADER = ['TIME', 'CALLER', 'TOOL', 'TARGET', 'DECISION', 'RESULT', 'TOOK', 'ARGUMENTS'] as const;
/** Column widths for `tail`, which does not know the later rows. */
const USUAL_WIDTHS = [19, 6, 22, 12, 16, 8, 7];
/** Maximum width of a column. Longer values are cut; --json has them in full. */
const MAX_WIDTH = 32;
/** Maximum width of the arguments where there is no terminal. */
const MAX_ARGUMENTS = 200;
/** With less space than this beside the other columns, the arguments get their own line. */
const MIN_ARGUMENTS = 20;
const INDENT = '  ';

/** A column of the table of calls: an index of HEADER. */
type Column = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** The columns to show and their widths. The last column takes the rest of the line. */
export interface Layout {
  readonly columns: readonly Column[];
  readonly widths: readonly number[];
}

/** The terminal width from which all columns fit. */
const WIDE = 120;
const ALL: readonly Column[] = [0, 1, 2, 3, 4, 5, 6, 7];
/** Time, target, tool, result and arguments. */
const NARROW: readonly Column[] = [0, 3, 2, 5, 7];

/**
 * The layout for a terminal of `lineWidth` characters (undefined: no terminal). Narrow terminals show fewer columns unless `wide`
 * is set; the caller is omitted if all calls are local.
 * @param calls the calls to show; without them, USUAL_WIDTHS apply
 */
export function layoutOf(
  lineWidth: number | undefined,
  wide: boolean,
  calls: readonly LoggedCall[] = [],
): Layout {
  const all = wide || lineWidth === undefined || lineWidth >= WIDE;
  const local = calls.length > 0 && calls.every(({ begun }) => begun.caller === 'local');
  const columns = (all ? ALL : NARROW).filter((column) => wide || column !== 1 || !local);
  if (calls.length === 0) return { columns, widths: columns.map((column) => USUAL_WIDTHS[column] ?? 0) };
  const rows = [HEADER, ...calls.map((call) => cellsOf(call))];
  const widths = columnWidths(rows);
  return { columns, widths: columns.map((column) => (column === 7 ? 0 : (widths[column] ?? 0))) };
}

export function headerText(style: Style, lineWidth: number | undefined, { columns, widths }: Layout): string {
  const cells = columns.map((column) => HEADER[column]);
  const own = space(lineWidth, widths) < MIN_ARGUMENTS;
  return `${style.dim(
    padCells(own ? cells.slice(0, -1) : cells, widths)
      .join('  ')
      .trimEnd(),
  )}\n`;
}

/** The space for the arguments next to the other columns. */
function space(lineWidth: number | undefined, widths: readonly number[]): number {
  if (lineWidth === undefined) return MAX_ARGUMENTS;
  return lineWidth - widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
}

/**
 * One call as a line. The last column, the arguments, takes the rest of `lineWidth` characters; if that is too little, a second line.
 * @param running the call is still running, so that it has no end entry yet
 */
export function callText(
  call: LoggedCall,
  style: Style,
  lineWidth: number | undefined,
  { columns, widths }: Layout,
  running = false,
): string {
  const all = cellsOf(call, running);
  const cells = padCells(
    columns.map((column) => all[column] ?? ''),
    widths,
  );
  const fixed = cells.slice(0, -1);
  const left = space(lineWidth, widths);
  const paints: Readonly<Partial<Record<Column, (text: string) => string>>> = {
    0: style.dim,
    2: style.bold,
    ...(call.begun.outcome === 'deny' ? { 4: style.red } : {}),
    5: resultPaint(call, style),
    6: style.dim,
  };
  const args = cells.at(-1) ?? '';
  const sameLine = args !== '' && left >= MIN_ARGUMENTS;
  // Trimmed before it is painted: at the end of the line an escape sequence would follow the spaces.
  const trimmed = sameLine
    ? fixed
    : fixed.map((cell, at) => (at === fixed.length - 1 ? cell.trimEnd() : cell));
  const painted = trimmed.map((cell, index) => (paints[columns[index] ?? 7] ?? String)(cell));
  if (sameLine) return `${[...painted, cut(args, left)].join('  ')}\n`;
  const line = `${painted.join('  ').trimEnd()}\n`;
  return args === ''
    ? line
    : `${line}${INDENT}${cut(args, Math.max((lineWidth ?? 0) - INDENT.length, MIN_ARGUMENTS))}\n`;
}

/** An entry that is not a call, as a line: the start and end of a session, or a gap. Undefined for other entries. */
export function eventText(entry: AuditEntry, style: Style): string | undefined {
  const text = eventOf(entry);
  if (text === undefined) return undefined;
  const line = `${localTime(new Date(entry.at))}  ${visible(text)}`;
  return `${entry.type === 'gap' ? style.red(line) : style.dim(line)}\n`;
}

function eventOf(entry: AuditEntry): string | undefined {
  switch (entry.type) {
    case 'open':
      return entry.continues === null
        ? `session ${entry.session} started: process ${entry.pid} on ${entry.host}, version ${entry.version}`
        : undefined;
    case 'closed':
      return `session ${entry.session} ended normally`;
    case 'gap':
      return `${entry.refused} calls or entries could not be logged and were refused since ${entry.since}: ${entry.reason}`;
    default:
      return undefined;
  }
}

function cellsOf(call: LoggedCall, running = false): readonly string[] {
  const { begun, end } = call;
  const target = [begun.vmid ?? '–', begun.name].filter((part) => part !== null).join(' ');
  const decision = `${begun.outcome === 'confirm' && begun.approval !== null ? 'confirmed' : begun.outcome}: ${begun.rule}`;
  return [
    localTime(new Date(begun.at)),
    short(begun.caller),
    short(shortToolName(begun.tool)),
    short(target),
    short(decision),
    resultOf(call, running),
    end === undefined ? '' : formatDuration(end.durationMs),
    argumentsOf(begun.args),
  ];
}

function resultOf(call: LoggedCall, running: boolean): string {
  const { end } = call;
  const code = codeOf(call);
  if (code === undefined) return running ? 'running' : 'no end';
  const left = end?.survivors ? `, ${end.survivors} left` : '';
  if (code !== 'ok') return short(code) + left;
  return end?.exitCode ? `exit ${end.exitCode}` : `ok${left}`;
}

function resultPaint(call: LoggedCall, style: Style): (text: string) => string {
  const code = codeOf(call);
  if (code === undefined) return style.yellow;
  if (code !== 'ok') return style.red;
  return hasFailed(call) ? style.yellow : style.green;
}

/** `command="df -h" timeout=30`, without the vmid, which has its own column. */
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

/** A value on one line, cut to MAX_WIDTH. */
function short(text: string): string {
  return cut(visible(text.replace(/\s+/g, ' ')), MAX_WIDTH);
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
