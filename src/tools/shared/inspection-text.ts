import { table } from '../../lib/columns.ts';
import { formatDuration } from '../../lib/duration.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { Section } from '../../proxmox/inspect/inspect-types.ts';
import { formatBytes } from './format.ts';
import { fitInspection, leftOutOf } from './inspection-limit.ts';
import { type InspectedRow, type InspectionData, memoryPercent } from './inspection-output.ts';
import {
  type Block,
  cell,
  isFrozenReason,
  isUnchecked,
  notCheckedBlock,
  sectionBlocks,
  uncheckedOf,
} from './inspection-sections.ts';
import { skippedLines } from './targets.ts';

/**
 * The inspection as tables, each row of which begins with the VMID. Names and output of containers are single lines in them.
 * @param sections a table for each of them; null: one row for each container
 * @param limit the most characters
 */
export function inspectionText(
  data: InspectionData,
  {
    sections,
    threshold,
    limit,
  }: { readonly sections: readonly Section[] | null; readonly threshold: number; readonly limit: number },
): string {
  const { containers } = data;
  const details = sections !== null;
  const troubled = containers.filter(({ problems }) => problems.length > 0);
  const unchecked = containers.filter((row) => uncheckedOf(row).length > 0).length;
  const failed = data.skipped.filter(({ code }) => !EXPECTED.has(code));
  const skipped = data.skipped.filter(({ code }) => EXPECTED.has(code));
  const counts = [
    count(containers.length, 'container'),
    `${troubled.length} with problems${details ? ` in ${sections.join(', ')}` : ''}`,
    ...(unchecked === 0 ? [] : [`${unchecked} with unknown values (NOT CHECKED)`]),
    ...(failed.length === 0 ? [] : [`${failed.length} COULD NOT BE INSPECTED`]),
    ...(skipped.length === 0 ? [] : [`${skipped.length} skipped`]),
  ];
  const head = [
    `${counts.join(', ')}. Values of ${data.time}.`,
    ...bounded(skippedLines(failed, 'Not inspected'), limit / 8),
    ...data.clocks.map(
      ({ node, ahead_s: ahead }) =>
        `The clock of ${node === null ? 'the node' : `node ${node}`} is ${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'} this server's.`,
    ),
  ];
  const foot = [
    ...survivorLines(data),
    ...bounded(skippedLines(skipped), limit / 8),
    ...leftOutLines(fitInspection(data, limit), limit),
  ];
  const blocks = [
    overview(containers, details),
    ...(details ? sectionBlocks(containers, { threshold, now: data.time }) : []),
    notCheckedBlock(containers),
  ];
  const room = limit - [...head, ...foot].join('\n').length - 200;
  return [
    head.join('\n'),
    ...fitting(
      blocks.filter((block) => block !== null),
      room,
    ),
    foot.join('\n'),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

/** The blocks as text. Rows that do not fit are counted; the overview keeps its rows longest. */
function fitting(blocks: readonly Block[], room: number): string[] {
  let left = room;
  return blocks.map(({ title, columns, rows }, index) => {
    const share = left / (blocks.length - index);
    let shown = rows.length;
    let text = render(title, columns, rows);
    // Space that a short block does not need is used by the next ones.
    while (text.length > Math.max(share, left / 2) && shown > 1) {
      shown = Math.max(1, Math.floor(shown * Math.min(0.9, share / text.length)));
      text = `${render(title, columns, rows.slice(0, shown))}\n… and ${rows.length - shown} more rows. Select fewer containers or sections to see them.`;
    }
    left -= text.length;
    return text;
  });
}

function render(title: string, columns: Block['columns'], rows: Block['rows']): string {
  const body = table(columns.length === 0 ? rows : [columns, ...rows]);
  return title === '' ? body : `${title}\n${body}`;
}

/** One row for each container, those with problems first, with the columns that there are values for. */
function overview(containers: readonly InspectedRow[], details: boolean): Block | null {
  if (containers.length === 0) return null;
  const columns: readonly (readonly [string, (row: InspectedRow) => string | undefined])[] = [
    ['VMID', ({ vmid }) => String(vmid)],
    ['NAME', ({ name }) => name ?? '-'],
    ['OS', ({ system }) => system && shortName(system.os)],
    ['UP', ({ system }) => system && uptime(system.uptime_s)],
    ['TIME ZONE', ({ system }) => (details ? system?.time_zone : undefined)],
    ['MEMORY', memoryCell],
    ['DISK', diskCell],
    [
      'SERVICES',
      (row) =>
        row.services === undefined
          ? uncheckedCell(row, 'services')
          : row.services.failed.length > 0
            ? `${row.services.failed.length} failed`
            : row.services.manager === 'none'
              ? 'no known manager'
              : `${row.services.manager} ${isUnchecked(row, 'services') ? '?' : 'ok'}`,
    ],
    [
      'PROCESSES',
      (row) => (row.processes === undefined ? uncheckedCell(row, 'processes') : String(row.processes.count)),
    ],
    ['UPDATES', updatesCell],
    ['PROBLEMS', problemCell],
  ];
  const sorted = containers.toSorted(
    (a, b) => Number(b.problems.length > 0) - Number(a.problems.length > 0) || a.vmid - b.vmid,
  );
  const used = columns.filter(([, value]) => sorted.some((row) => value(row) !== undefined));
  return {
    title: '',
    columns: used.map(([title]) => title),
    rows: sorted.map((row) => used.map(([, value]) => cell(value(row) ?? '-'))),
  };
}

/** `Debian 13` for `Debian GNU/Linux 13 (trixie)`. */
function shortName(os: string): string {
  return os.replace(' GNU/Linux', '').replace(/ \([^)]*\)$/, '');
}

function uptime(seconds: number | null): string {
  if (seconds === null) return '?';
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000);
}

function uncheckedCell(row: InspectedRow, section: Section): string | undefined {
  return isUnchecked(row, section) ? '?' : undefined;
}

function memoryCell(row: InspectedRow): string | undefined {
  const { memory } = row;
  if (memory === undefined) return uncheckedCell(row, 'memory');
  const percent = memoryPercent(memory);
  const used = formatBytes(memory.used_bytes);
  return percent === null ? used : `${used} of ${formatBytes(memory.limit_bytes ?? 0)} (${percent} %)`;
}

function updatesCell({ updates }: InspectedRow): string | undefined {
  if (updates === undefined) return undefined;
  return updates.manager === 'none' ? 'no known manager' : String(updates.pending ?? '?');
}

/** The fullest mount. */
function diskCell(row: InspectedRow): string | undefined {
  const [mount] = row.disk?.mounts ?? [];
  if (mount === undefined) return uncheckedCell(row, 'disk');
  return `${mount.path} ${mount.use_percent} % of ${formatBytes(mount.size_bytes)}`;
}

const MOST_PROBLEMS = 6;

/** The problems; for a frozen container also what is unknown because of that. */
function problemCell(row: InspectedRow): string {
  const unread = row.not_checked.filter(({ reason }) => isFrozenReason(row, reason));
  const sections = [...new Set(unread.map(({ section }) => section))].join(', ');
  const problems = row.problems.map((problem) => {
    return problem === 'frozen' && sections !== '' ? `frozen (not read: ${sections})` : problem;
  });
  if (problems.length === 0) return '-';
  const more = problems.length > MOST_PROBLEMS ? `; ${problems.length - MOST_PROBLEMS} more` : '';
  return problems.slice(0, MOST_PROBLEMS).join('; ') + more;
}

/** Why a container was not inspected that are no failures of the inspection. */
const EXPECTED: ReadonlySet<string> = new Set<ErrorCode>([
  'CONTAINER_NOT_RUNNING',
  'CONTAINER_IS_TEMPLATE',
  'CONTAINER_NOT_FOUND',
  'NOT_A_CONTAINER',
  'POLICY_DENIED',
  'OWN_CONTAINER',
  'WRONG_TARGET',
]);

/** As many lines, and as much of the last one, as fit. */
function bounded(lines: readonly string[], most: number): string[] {
  const text = lines.join('\n');
  return text.length <= most
    ? [...lines]
    : `${text.slice(0, most)}… All reasons are in the structured data.`.split('\n');
}

/** What is not in the data. */
function leftOutLines(fitted: InspectionData, limit: number): string[] {
  const { short, missing } = leftOutOf(fitted);
  if (short + missing === 0) return [];
  const rows = missing === 0 ? '' : `, and has no row of ${count(missing, 'container')} without problems`;
  return [
    `The structured data is limited to ${limit} characters: it is shortened for ${count(short, 'container')} (left_out)${rows}. For all of it, call again with fewer vmids or sections.`,
  ];
}

function survivorLines({ survivors }: InspectionData): string[] {
  if (survivors === null)
    return ['It could not be verified that all processes of the inspection were killed.'];
  if (survivors.length === 0) return [];
  return [
    `Processes of the inspection that could not be killed: ${survivors.map(({ pid, name }) => `${cell(name)} (pid ${pid} on the node)`).join(', ')}.`,
  ];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
