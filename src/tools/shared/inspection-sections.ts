import { groupBy } from '../../lib/group-by.ts';
import type { Section } from '../../proxmox/inspect/inspect-types.ts';
import { formatBytes } from './format.ts';
import { daysBetween, type InspectedRow, isFull } from './inspection-output.ts';

type Rows = readonly (readonly string[])[];

/** A table of the text, or with a title only, a sentence. */
export interface Block {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: Rows;
}

/** The tables of the sections that were read. */
export function sectionBlocks(
  containers: readonly InspectedRow[],
  { threshold, now }: { readonly threshold: number; readonly now: string },
): readonly (Block | null)[] {
  return [
    memoryBlock(containers),
    diskBlock(containers, threshold),
    networkBlock(containers),
    processesBlock(containers),
    updatesBlock(containers, now),
    logsBlock(containers),
  ];
}

/** The use of memory, the most first. The overview has the limits. */
function memoryBlock(containers: readonly InspectedRow[]): Block | null {
  const rows = containers
    .toSorted((a, b) => (b.memory?.used_bytes ?? 0) - (a.memory?.used_bytes ?? 0))
    .flatMap(({ vmid, memory: facts }) => {
      if (facts?.top_processes === undefined) return [];
      const number = (value: number | null, show: (known: number) => string) =>
        value === null ? '?' : show(value);
      return [
        [
          String(vmid),
          formatBytes(facts.used_bytes),
          number(facts.swap_bytes, formatBytes),
          number(facts.oom_kills, String),
          facts.top_processes
            .map(({ pid, process, bytes }) => `${process} ${formatBytes(bytes)} (${pid})`)
            .join(', ') || '?',
        ],
      ];
    });
  return block(
    'MEMORY (processes without files and shared memory)',
    ['VMID', 'USED', 'SWAP', 'OOM KILLS', 'TOP PROCESSES (PID ON THE NODE)'],
    rows,
  );
}

/** What takes the space in a single container, or in those above the threshold: the overview has the use of the others. */
function diskBlock(containers: readonly InspectedRow[], threshold: number): Block | null {
  const rows = containers.flatMap(({ vmid, disk: facts }) => {
    const id = String(vmid);
    if (facts === undefined) return [];
    return [
      ...facts.mounts
        .filter((mount) => isFull(mount, threshold) || facts.largest_directories !== undefined)
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
      ...fileRows(id, facts.largest_files ?? []),
      ...(facts.deleted_open ?? []).map(({ path, bytes, pid, process }) => [
        id,
        'deleted but open',
        formatBytes(bytes),
        path,
        `${process} (pid ${pid} on the node)`,
      ]),
    ];
  });
  const searched = containers.filter(({ disk }) => disk?.largest_directories !== undefined);
  const isPart = containers.some(({ disk }) => disk !== undefined && disk.largest_directories === undefined);
  const more = searched.length === 0 ? '; select a container for its largest files' : '';
  const title = isPart ? `DISK (from ${threshold} % on${more})` : 'DISK';
  return block(title, ['VMID', 'WHAT', 'SIZE', 'PATH', ''], rows);
}

/** One row for each file; several of one size in one directory, such as the parts of an archive, share a row. */
function fileRows(id: string, files: readonly { readonly path: string; readonly bytes: number }[]): Rows {
  const groups = groupBy(files, ({ path, bytes }) => `${bytes} ${path.slice(0, path.lastIndexOf('/'))}`);
  return [...groups.values()].map(([{ path, bytes } = NO_FILE, ...others]) => {
    // The list is limited, so there may be more than those at its end.
    const least = others.includes(files.at(-1) ?? NO_FILE) ? 'at least ' : '';
    const more =
      others.length === 0 ? '' : `and ${least}${others.length} more of this size in this directory`;
    return [id, 'file', formatBytes(bytes), path, more];
  });
}

const NO_FILE = { path: '', bytes: 0 };

function networkBlock(containers: readonly InspectedRow[]): Block | null {
  const rows = containers.flatMap((row) => {
    const { vmid, network: facts } = row;
    return facts === undefined
      ? []
      : [
          [String(vmid), 'addresses', addressesCell(row, containers.length > 1), ''],
          ...portRows(row, facts.ports),
        ];
  });
  return block('NETWORK', ['VMID', 'WHAT', 'ADDRESS', 'PROCESS (PID ON THE NODE)'], rows);
}

/** All addresses; of one of several containers the first ones, without the lengths of their prefixes. */
function addressesCell(row: InspectedRow, compact: boolean): string {
  const addresses = row.network?.addresses ?? [];
  if (addresses.length === 0) return isUnchecked(row, 'network') ? '?' : 'none';
  if (!compact) return addresses.join(', ');
  const shown = addresses.slice(0, FEW_ADDRESSES).map((address) => address.replace(/\/\d+/, ''));
  const more = addresses.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const FEW_ADDRESSES = 2;

type Port = NonNullable<InspectedRow['network']>['ports'][number];

/** One row for each process and protocol. */
function portRows(row: InspectedRow, ports: readonly Port[]): Rows {
  const id = String(row.vmid);
  const unknown = isUnchecked(row, 'network') ? '?' : '-';
  if (ports.length === 0) return [[id, 'ports', unknown === '?' ? '?' : 'none', '']];
  return [...groupBy(ports, ({ protocol, process }) => `${protocol} ${process}`).values()].map((group) => [
    id,
    group[0]?.protocol ?? '',
    group
      .map(({ address, port }) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`))
      .join(' '),
    group[0]?.process ?? unknown,
  ]);
}

function processesBlock(containers: readonly InspectedRow[]): Block | null {
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
  return block(
    'PROCESSES (memory includes shared and cached pages)',
    ['VMID', 'TOP BY', 'CPU', 'MEMORY', 'PID ON THE NODE', 'COMMAND'],
    rows,
  );
}

function updatesBlock(containers: readonly InspectedRow[], now: string): Block | null {
  const rows = containers.flatMap(({ vmid, updates: facts }) => {
    if (facts === undefined || facts.manager === 'none') return [];
    const { manager, pending, security, packages, lists_time: lists, outdated_processes: outdated } = facts;
    const more = (pending ?? 0) > packages.length ? ', …' : '';
    return [
      [
        String(vmid),
        manager,
        pending === null ? '?' : String(pending),
        security === null ? '?' : String(security),
        lists === null ? '?' : `${lists.slice(0, 10)} (${daysBetween(lists, now)} d)`,
        outdated === null ? '?' : outdated.join(', ') || '-',
        packages.join(', ') + more || (pending === null ? '?' : '-'),
      ],
    ];
  });
  return block(
    'UPDATES',
    ['VMID', 'MANAGER', 'PENDING', 'SECURITY', 'LISTS OF (AGE)', 'USE OLD FILES', 'PACKAGES'],
    rows,
  );
}

/** The data has all lines; here are the last of each container, because a client may send text and data to its model. */
function logsBlock(containers: readonly InspectedRow[]): Block | null {
  const rows = containers.flatMap(({ vmid, logs }) => {
    if (logs === undefined) return [];
    const shown = logs.lines.slice(-LAST_LINES).map((line) => [String(vmid), logs.source, line]);
    const more = logs.lines.length - shown.length;
    const note = `${more} earlier lines: see the data, or proxmox_read_logs with priority or match`;
    return more > 0 ? [[String(vmid), logs.source, note], ...shown] : shown;
  });
  const isRead = containers.some(({ logs }) => logs !== undefined);
  if (rows.length === 0) return isRead ? { title: 'LAST ERRORS: none', columns: [], rows: [] } : null;
  return block('LAST ERRORS', ['VMID', 'SOURCE', 'LINE'], rows);
}

const LAST_LINES = 3;

/** What is unknown, and why. Containers and sections with the same reason share a row. */
export function notCheckedBlock(containers: readonly InspectedRow[]): Block | null {
  const groups = new Map<string, { readonly vmids: Set<number>; readonly sections: Set<string> }>();
  for (const row of containers) {
    const { vmid } = row;
    for (const { section, reason } of uncheckedOf(row)) {
      const group = groups.get(reason) ?? { vmids: new Set(), sections: new Set() };
      groups.set(reason, group);
      group.vmids.add(vmid);
      group.sections.add(section);
    }
  }
  const rows = [...groups].map(([reason, { vmids, sections }]) => [
    [...vmids].join(', '),
    [...sections].join(', '),
    reason,
  ]);
  return block('NOT CHECKED', ['VMID', 'SECTION', 'WHY'], rows);
}

function block(title: string, columns: readonly string[], rows: Rows): Block | null {
  return rows.length === 0 ? null : { title, columns, rows: rows.map((row) => row.map(cell)) };
}

/** What is unknown, except because the container is frozen: its problem says that. */
export function uncheckedOf(row: InspectedRow): InspectedRow['not_checked'] {
  return row.not_checked.filter(({ reason }) => !isFrozenReason(row, reason));
}

/** Whether a section is unknown because the container is frozen. */
export function isFrozenReason({ state, incomplete }: InspectedRow, reason: string): boolean {
  return state === 'frozen' && reason === incomplete;
}

/** Whether some of a section, or all, is unknown. */
export function isUnchecked(row: InspectedRow, section: Section): boolean {
  return row.not_checked.some((each) => each.section === section);
}

/** A cell is one line: a newline that redaction left would begin a row. */
export function cell(text: string): string {
  return text.replaceAll(/[\n\r\t]/g, ' ');
}
