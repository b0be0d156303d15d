import { type Checked, type ContainerReport, failureOf, isPartial, lines } from './container-report.ts';
import type { ContainerFacts, DeletedFile, Mount, SizedPath } from './inspect-types.ts';
import type { RawFacts } from './node-report.ts';
import { integer, oneLine } from './plain-text.ts';

/** Lines of a list of open files after which inspect-node.sh stops. */
const MOST_OPEN_FILES = 5000;

/** Mounts of each container in an overview, in which most containers have nothing but small file systems in memory. */
const FEW_MOUNTS = 3;

/**
 * The mounts, and with `diskUsage` the largest directories and files, and deleted files that are open.
 * @param names names of processes by PID
 */
export function parseDisk(
  raw: RawFacts,
  report: ContainerReport,
  names: ReadonlyMap<number, string>,
  { diskUsage, mostRows }: { readonly diskUsage: boolean; readonly mostRows: number },
): Checked<NonNullable<ContainerFacts['disk']>> {
  const { facts: mounts, notChecked } = parseMounts(report, diskUsage ? Math.max(10, mostRows) : FEW_MOUNTS);
  if (!diskUsage) return { facts: mounts === null ? null : { mounts }, notChecked };
  const directories = parseUsage(raw.text('directories') ?? '');
  const folders = new Set(directories.map(({ path }) => path));
  const files = parseUsage(raw.text('files') ?? '').filter(({ path }) => !folders.has(path));
  const deleted = raw.text('deleted') ?? '';
  const isIncomplete = !isSearched(raw, 'directories') || !isSearched(raw, 'files');
  const areDeletedIncomplete =
    !raw.isComplete('deleted') || !raw.isComplete('sizes') || lines(deleted).length >= MOST_OPEN_FILES;
  return {
    facts: {
      mounts: mounts ?? [],
      largest_directories: largestDirectories(directories, mostRows),
      // Without the complete list of directories, a directory could be taken for a file.
      largest_files: isSearched(raw, 'directories')
        ? files.sort((a, b) => b.bytes - a.bytes).slice(0, mostRows)
        : [],
      search_incomplete: isIncomplete,
      deleted_open: parseDeleted(deleted, raw.text('sizes') ?? '', names, mostRows),
    },
    notChecked: [
      ...notChecked,
      ...(isIncomplete ? ['The search for the largest directories and files was ended after 6 s.'] : []),
      ...(areDeletedIncomplete ? ['Not all deleted files that are open were found.'] : []),
    ],
  };
}

/** du exits with 1 if a file disappeared during the search, which does not matter. */
function isSearched(raw: RawFacts, fact: string): boolean {
  return /^[01]$/.test(raw.word(`${fact}-code`) ?? '');
}

/** The fullest mounts, and the root: those with a size, each file system once, under its shortest path. */
export function parseMounts({ parts }: ContainerReport, most: number): Checked<readonly Mount[]> {
  const inodes = new Map<string, number | null>();
  for (const { path, percent } of dfLines(parts.get('inodes')?.text)) inodes.set(path, percent);
  const mounts = new Map<string, Mount>();
  const listed = [...dfLines(parts.get('mounts')?.text)];
  const root = listed.some(({ path }) => path === '/') ? [] : dfLines(parts.get('root')?.text);
  for (const { source, path, size, used, percent } of [...root, ...listed]) {
    if (size === 0 || percent === null || IGNORED.test(path)) continue;
    const key = `${source} ${size} ${used}`;
    const known = mounts.get(key);
    if (known !== undefined && source !== 'tmpfs' && known.path.length <= path.length) continue;
    mounts.set(source === 'tmpfs' ? `${key} ${path}` : key, {
      path: oneLine(path, 200),
      source: oneLine(source, 80),
      size_bytes: size * 1024,
      used_bytes: used * 1024,
      use_percent: percent,
      inodes_percent: inodes.get(path) ?? null,
    });
  }
  const fullness = (mount: Mount) => Math.max(mount.use_percent, mount.inodes_percent ?? 0);
  const sorted = [...mounts.values()].sort((a, b) => fullness(b) - fullness(a));
  const facts = sorted.filter(({ path }, index) => index < most || path === '/');
  const part = parts.get('mounts');
  const problem = part === undefined || part.code === null ? HANGS : failureOf(part, 'df');
  if (facts.length > 0) {
    const isPart = part === undefined || part.code === null || isPartial(part);
    return { facts, notChecked: isPart && problem !== null ? [problem] : [] };
  }
  return { facts: null, notChecked: [problem ?? 'df reports no file system with a size.'] };
}

/** df asks each file system, and waits for the server of one in the network. */
export const HANGS = 'df did not answer in time: one of its file systems may hang.';

/** File systems of the kernel and packages of snapd, which are always full, and single files that LXC mounts over those of /proc and /dev. */
const IGNORED = /^\/(?:proc|sys|snap|var\/lib\/snapd\/snap|dev(?!\/shm(?:\/|$)))(?:\/|$)/;

function* dfLines(text: string | undefined) {
  for (const line of lines(text)) {
    // A source may contain blanks, and so may a path.
    const match = /^(.*?) +(\d+|-) +(\d+|-) +(-?\d+|-) +(\d{1,3})?[%-]? +(\/.*)$/.exec(line);
    if (match === null) continue;
    const [, source = '', size, used, , percent, path = ''] = match;
    yield { source, path, size: integer(size) ?? 0, used: integer(used) ?? 0, percent: integer(percent) };
  }
}

/** The largest directories and files: `KIB TAB /proc/PID/root/PATH NUL`. */
export function parseUsage(text: string): readonly SizedPath[] {
  return text.split('\0').flatMap((entry): SizedPath[] => {
    const [, kib, path = ''] = /^\n?(\d{1,15})\t\/proc\/\d+\/root\/([\s\S]*)$/.exec(entry) ?? [];
    return kib === undefined ? [] : [{ path: `/${oneLine(path, 300)}`, bytes: Number(kib) * 1024 }];
  });
}

/** Directories of a container that are listed at most. */
const MOST_DIRECTORIES = 6;
/** Share of all that is used: a smaller directory does not matter. */
const LEAST_SHARE = 0.05;
/** Share of a directory that is in listed directories below it, from which on it is not listed itself. */
const EXPLAINED = 0.8;
/** Installed programs and libraries fill no disk below this size, in bytes. */
const LEAST_SYSTEM = 4 * 1024 ** 3;
const SYSTEM = /^\/(?:usr(?!\/(?:local|src)(?:\/|$))|lib[^/]*|bin|sbin|boot)(?:\/|$)/;

/**
 * The directories that explain the use of the disk, without those of the system: the deepest ones, and a directory above them
 * only if much of it is elsewhere.
 */
export function largestDirectories(all: readonly SizedPath[], most: number): readonly SizedPath[] {
  const sorted = all.toSorted((a, b) => b.bytes - a.bytes);
  const least = (sorted[0]?.bytes ?? 0) * LEAST_SHARE;
  const directories = sorted.filter(({ path }) => path !== '/');
  const depth = ({ path }: SizedPath) => path.split('/').length;
  const deepestFirst = directories
    .filter(({ path, bytes }) => bytes >= least && (bytes >= LEAST_SYSTEM || !SYSTEM.test(path)))
    .sort((a, b) => depth(b) - depth(a));
  const shown: SizedPath[] = [];
  for (const directory of deepestFirst) {
    const below = shown.filter((each) => isBelow(each, directory));
    const explained = below
      .filter((each) => !below.some((other) => isBelow(each, other)))
      .reduce((sum, { bytes }) => sum + bytes, 0);
    if (explained < directory.bytes * EXPLAINED) shown.push(directory);
  }
  // Where nothing else is of any size, the system is what there is.
  const found = shown.length === 0 ? directories.slice(0, 1) : shown;
  return found.toSorted((a, b) => b.bytes - a.bytes).slice(0, Math.min(most, MOST_DIRECTORIES));
}

function isBelow({ path }: SizedPath, directory: SizedPath): boolean {
  return path.startsWith(`${directory.path}/`);
}

/** Files that are deleted, but open, the largest first. Each file once. */
export function parseDeleted(
  links: string,
  sizes: string,
  names: ReadonlyMap<number, string>,
  most: number,
): readonly DeletedFile[] {
  const found = new Map<string, { readonly bytes: number; readonly file: string }>();
  for (const line of sizes.split('\n')) {
    const [, link = '', bytes, file = ''] = /^(\/proc\/\d+\/fd\/\d+) (\d{1,15}) (\d+:\d+)$/.exec(line) ?? [];
    if (bytes !== undefined) found.set(link, { bytes: Number(bytes), file });
  }
  const seen = new Set<string>();
  const files: DeletedFile[] = [];
  for (const line of links.split('\n')) {
    const [, link = '', pid = '', path = ''] =
      /^(\/proc\/(\d+)\/fd\/\d+) -> (.*?)\\? \(deleted\)$/.exec(line) ?? [];
    const size = found.get(link);
    if (size === undefined || size.bytes === 0 || seen.has(size.file)) continue;
    seen.add(size.file);
    const process = names.get(Number(pid)) ?? '?';
    files.push({ path: oneLine(unescapeName(path), 300), bytes: size.bytes, pid: Number(pid), process });
  }
  return files.sort((a, b) => b.bytes - a.bytes).slice(0, most);
}

/** Undoes the escapes of `ls -b`: a backslash before a blank or a letter, or three octal digits. */
function unescapeName(name: string): string {
  const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
  const octal = (digits: string) => String.fromCharCode(Number.parseInt(digits, 8));
  const bytes = Buffer.from(name, 'utf8')
    .toString('latin1')
    .replaceAll(/\\(?:([0-7]{3})|(.))/gs, (_, digits: string | undefined, char: string) =>
      digits === undefined ? (letters[char] ?? char) : octal(digits),
    );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
