import type { AuditRecord } from '../../../governance/audit/audit-entry.ts';
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

/** How wide the columns of these calls are, all but the last. */
export function widthsOf(calls: readonly RecordedCall[]): readonly number[] {
  const rows = [HEADER, ...calls.map((call) => cellsOf(call))];
  return columnWidths(rows).slice(0, USUAL_WIDTHS.length);
}

export function headerText(style: Style, widths: readonly number[] = USUAL_WIDTHS): string {
  return `${style.dim(padCells(HEADER, widths).join('  '))}\n`;
}

/**
 * One call as a line: when, who, what, on what, the decision and its rule, how it ended, how long it took, with what.
 * @param room characters of a line; the arguments take what is left
 */
export function callText(
  call: RecordedCall,
  style: Style,
  room: number | undefined,
  widths: readonly number[] = USUAL_WIDTHS,
): string {
  const cells = padCells(cellsOf(call), widths);
  const fixed = cells.slice(0, -1);
  const left = room === undefined ? MAX_ARGUMENTS : Math.max(room - fixed.join('  ').length - 2, 20);
  const [time = '', caller = '', tool = '', target = '', decision = '', result = '', took = ''] = fixed;
  const paint = resultPaint(call, style);
  return `${[style.dim(time), caller, style.bold(tool), target, call.begun.outcome === 'deny' ? style.red(decision) : decision, paint(result), style.dim(took), cut(cells.at(-1) ?? '', left)].join('  ').trimEnd()}\n`;
}

/** What else stands on record: processes that begin and end, gaps. Undefined for what tells people nothing. */
export function eventText(record: AuditRecord, style: Style): string | undefined {
  const text = eventOf(record);
  if (text === undefined) return undefined;
  const line = `${timeOf(record.at)}  ${visible(text)}`;
  return `${record.type === 'gap' ? style.red(line) : style.dim(line)}\n`;
}

function eventOf(record: AuditRecord): string | undefined {
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

function cellsOf(call: RecordedCall): readonly string[] {
  const { begun, end } = call;
  const target = [begun.vmid ?? '–', begun.name].filter((part) => part !== null).join(' ');
  const decision = `${begun.outcome === 'confirm' && begun.approval !== null ? 'confirmed' : begun.outcome}: ${begun.rule}`;
  return [
    timeOf(begun.at),
    short(begun.caller),
    short(shortToolName(begun.tool)),
    short(target),
    short(decision),
    resultOf(call),
    end === undefined ? '' : formatDuration(end.durationMs),
    argumentsOf(begun.args),
  ];
}

function resultOf(call: RecordedCall): string {
  const { end } = call;
  const code = codeOf(call);
  if (code === undefined) return 'no end';
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
