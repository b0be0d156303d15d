import { table } from '../../lib/columns.ts';
import { formatDuration } from '../../lib/duration.ts';
import { formatBytes } from './format.ts';
import { type InspectedRow, type InspectionData, memoryPercent } from './inspection-output.ts';
import { skippedLines } from './targets.ts';

type Rows = readonly (readonly string[])[];

/**
 * The inspection as tables, each row of which begins with the VMID. Names and output of containers are single lines in them.
 * @param details a table for each section; otherwise one row for each container
 * @param limit the most characters
 */
export function inspectionText(
  data: InspectionData,
  {
    details,
    threshold,
    limit,
  }: { readonly details: boolean; readonly threshold: number; readonly limit: number },
): string {
  const { containers } = data;
  const troubled = containers.filter(({ problems }) => problems.length > 0);
  const head = [
    `${count(containers.length, 'container')}, ${troubled.length} with problems. Values of ${data.time}.`,
    ...data.clocks.map(
      ({ node, ahead_s: ahead }) =>
        `The clock of ${node === null ? 'the node' : `node ${node}`} is ${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'} this server's.`,
    ),
  ];
  const foot = [...survivorLines(data), ...skippedLines(data.skipped)];
  const blocks = [
    overview(containers, details),
    ...(details
      ? [
          disk(containers, threshold),
          network(containers),
          processes(containers),
          updates(containers),
          logs(containers),
        ]
      : []),
    incomplete(containers),
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

interface Block {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: Rows;
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

function render(title: string, columns: readonly string[], rows: Rows): string {
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
      ({ services }) =>
        services &&
        (services.manager === 'none'
          ? '-'
          : services.failed.length === 0
            ? `${services.manager} ok`
            : `${services.failed.length} failed`),
    ],
    ['PROCESSES', (row) => (row.processes === undefined ? undefined : String(row.processes.count))],
    [
      'UPDATES',
      ({ updates }) =>
        updates === undefined ? undefined : updates.pending === null ? '?' : String(updates.pending),
    ],
    ['PROBLEMS', ({ problems }) => problemCell(problems)],
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

function memoryCell({ memory }: InspectedRow): string | undefined {
  if (memory === undefined) return undefined;
  const percent = memoryPercent(memory);
  const used = formatBytes(memory.used_bytes);
  return percent === null ? used : `${used} of ${formatBytes(memory.limit_bytes ?? 0)} (${percent} %)`;
}

/** The fullest mount. */
function diskCell({ disk }: InspectedRow): string | undefined {
  const [mount] = disk?.mounts ?? [];
  if (mount === undefined) return disk === undefined ? undefined : '?';
  return `${mount.path} ${mount.use_percent} % of ${formatBytes(mount.size_bytes)}`;
}

const MOST_PROBLEMS = 6;

function problemCell(problems: readonly string[]): string {
  if (problems.length === 0) return '-';
  const more = problems.length > MOST_PROBLEMS ? `; ${problems.length - MOST_PROBLEMS} more` : '';
  return problems.slice(0, MOST_PROBLEMS).join('; ') + more;
}

function disk(containers: readonly InspectedRow[], threshold: number): Block | null {
  const rows = containers.flatMap(({ vmid, disk: facts }) => {
    const id = String(vmid);
    if (facts === undefined) return [];
    return [
      ...facts.mounts
        .filter(
          ({ path, use_percent, inodes_percent }) =>
            path === '/' || Math.max(use_percent, inodes_percent ?? 0) >= threshold,
        )
        .map((mount) => [
          id,
          'mount',
          `${mount.use_percent} % of ${formatBytes(mount.size_bytes)}`,
          mount.path,
          mount.inodes_percent === null ? '' : `inodes ${mount.inodes_percent} %`,
        ]),
      ...(facts.largest_directories ?? []).map(({ path, bytes }) => [
        id,
        'directory',
        formatBytes(bytes),
        path,
        '',
      ]),
      ...(facts.largest_files ?? []).map(({ path, bytes }) => [id, 'file', formatBytes(bytes), path, '']),
      ...(facts.deleted_open ?? []).map(({ path, bytes, pid, process }) => [
        id,
        'deleted but open',
        formatBytes(bytes),
        path,
        `${process} (pid ${pid} on the node)`,
      ]),
      ...(facts.search_incomplete
        ? [[id, 'note', '', 'The search for the largest was ended after 6 s.', '']]
        : []),
    ];
  });
  return block('DISK', ['VMID', 'WHAT', 'SIZE', 'PATH', ''], rows);
}

function network(containers: readonly InspectedRow[]): Block | null {
  const rows = containers.flatMap(({ vmid, network: facts }) =>
    facts === undefined
      ? []
      : [
          [String(vmid), 'addresses', facts.addresses.join(', ') || 'none', ''],
          ...facts.ports.map(({ protocol, address, port, process }) => [
            String(vmid),
            protocol,
            address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
            process ?? '-',
          ]),
        ],
  );
  return block('NETWORK', ['VMID', 'WHAT', 'ADDRESS', 'PROCESS (PID ON THE NODE)'], rows);
}

function processes(containers: readonly InspectedRow[]): Block | null {
  const rows = containers.flatMap(({ vmid, processes: facts }) => {
    if (facts === undefined) return [];
    const row = (what: string) => (each: (typeof facts.top_cpu)[number]) => [
      String(vmid),
      what,
      `${each.cpu_percent} %`,
      formatBytes(each.memory_bytes),
      String(each.pid),
      each.command,
    ];
    return [...facts.top_cpu.map(row('CPU')), ...facts.top_memory.map(row('memory'))];
  });
  return block('PROCESSES', ['VMID', 'TOP BY', 'CPU', 'MEMORY', 'PID ON THE NODE', 'COMMAND'], rows);
}

function updates(containers: readonly InspectedRow[]): Block | null {
  const rows = containers.flatMap(({ vmid, updates: facts }) => {
    if (facts === undefined) return [];
    const { manager, pending, security, packages, lists_time: lists, outdated_processes: outdated } = facts;
    const more = (pending ?? 0) > packages.length ? ', …' : '';
    return [
      [
        String(vmid),
        manager,
        pending === null ? '?' : String(pending),
        security === null ? '?' : String(security),
        lists === null ? '?' : lists.slice(0, 10),
        outdated.join(', ') || '-',
        packages.join(', ') + more || '-',
      ],
    ];
  });
  return block(
    'UPDATES',
    ['VMID', 'MANAGER', 'PENDING', 'SECURITY', 'LISTS OF', 'USE OLD FILES', 'PACKAGES'],
    rows,
  );
}

function logs(containers: readonly InspectedRow[]): Block | null {
  const rows = containers.flatMap(({ vmid, logs: facts }) =>
    (facts?.lines ?? []).map((line) => [String(vmid), facts?.source ?? '', line]),
  );
  const isAsked = containers.some(({ logs: facts }) => facts !== undefined);
  if (rows.length === 0) return isAsked ? { title: 'LAST ERRORS: none', columns: [], rows: [] } : null;
  return block('LAST ERRORS', ['VMID', 'SOURCE', 'LINE'], rows);
}

function incomplete(containers: readonly InspectedRow[]): Block | null {
  const rows = containers.flatMap(({ vmid, incomplete: why }) => (why === null ? [] : [[String(vmid), why]]));
  return block('INCOMPLETE', ['VMID', 'WHY'], rows);
}

function block(title: string, columns: readonly string[], rows: Rows): Block | null {
  return rows.length === 0 ? null : { title, columns, rows: rows.map((row) => row.map(cell)) };
}

/** A cell is one line: a newline that redaction left would begin a row. */
function cell(text: string): string {
  return text.replaceAll(/[\n\r\t]/g, ' ');
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
