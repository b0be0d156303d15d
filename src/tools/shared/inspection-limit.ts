import { fairShares } from './equal-outputs.ts';
import { type InspectedRow, type InspectionData, inspectionData } from './inspection-output.ts';

/** Entries of each list in the forms of a row, from the longest form to the shortest that has details. */
const LIST_LENGTHS = [5, 2, 1];
/** Problems and reasons of a row without details. */
const MOST_PROBLEMS = 3;
const MOST_UNCHECKED = 2;

/**
 * The data with at most `limit` characters of JSON. Containers with problems keep their details first, each with its fair share.
 * A row says in `left_out` which sections were shortened or removed. If not even the rows fit, those of containers without
 * problems are replaced by their VMIDs in `left_out`.
 */
export function fitInspection(data: InspectionData, limit: number): InspectionData {
  if (lengthOf(data) <= limit) return data;
  const { containers, ...rest } = data;
  const shortest = containers.map(withoutDetails);
  const isListed = fitting(containers, shortest, limit - lengthOf({ ...rest, left_out: [], containers: [] }));
  const left_out = containers.filter((_, index) => !isListed[index]).map(({ vmid }) => vmid);
  const base = { ...rest, ...(left_out.length === 0 ? {} : { left_out }) };
  const used = lengthOf({ ...base, containers: shortest.filter((_, index) => isListed[index]) });
  const rooms = shares(containers, shortest, isListed, Math.max(0, limit - used));
  return {
    ...base,
    containers: containers.flatMap((row, index) => {
      const [short, room = 0] = [shortest[index], rooms[index]];
      if (!isListed[index] || short === undefined) return [];
      return [longestForm(row, short, lengthOf(short) + room)];
    }),
  };
}

/** How many containers of fitted data are shortened, and how many have no row. */
export function leftOutOf({ containers, left_out }: InspectionData): { short: number; missing: number } {
  return {
    short: containers.filter((row) => row.left_out !== undefined).length,
    missing: left_out?.length ?? 0,
  };
}

/** Whether each container has a row: those with problems always, the others while there is room. */
function fitting(rows: readonly InspectedRow[], short: readonly InspectedRow[], room: number): boolean[] {
  const lengths = short.map((row) => lengthOf(row) + 1);
  const all = lengths.reduce((sum, length) => sum + length, 0);
  if (all <= room) return rows.map(() => true);
  let left = room - lengths.filter((_, index) => hasProblems(rows[index])).reduce((sum, one) => sum + one, 0);
  // Each container that has no row has its VMID.
  left -= rows.length * 10;
  return rows.map((row, index) => {
    if (hasProblems(row)) return true;
    left -= lengths[index] ?? 0;
    return left >= 0;
  });
}

/** Characters for the details of each container: first those with problems, then the others. */
function shares(
  rows: readonly InspectedRow[],
  short: readonly InspectedRow[],
  isListed: readonly boolean[],
  room: number,
): number[] {
  const needs = rows.map((row, index) =>
    isListed[index] ? Math.max(0, lengthOf(row) - lengthOf(short[index])) : 0,
  );
  const worse = fairShares(
    needs.map((need, index) => (hasProblems(rows[index]) ? need : 0)),
    room,
  );
  const left = room - worse.reduce((sum, share) => sum + share, 0);
  const others = fairShares(
    needs.map((need, index) => (hasProblems(rows[index]) ? 0 : need)),
    left,
  );
  return rows.map((_, index) => (worse[index] ?? 0) + (others[index] ?? 0));
}

function hasProblems(row: InspectedRow | undefined): boolean {
  return (row?.problems.length ?? 0) > 0;
}

/** The row, or the row with as long lists as fit, or `short`. */
function longestForm(row: InspectedRow, short: InspectedRow, room: number): InspectedRow {
  if (lengthOf(row) <= room) return row;
  for (const most of LIST_LENGTHS) {
    const form = withLists(row, most);
    if (lengthOf(form) <= room) return form;
  }
  return short;
}

function withLists(row: InspectedRow, most: number): InspectedRow {
  const cut = new Set<string>();
  function shorten(name: string, value: unknown): unknown {
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]: [string, unknown]) => {
        if (!Array.isArray(entry) || entry.length <= most) return [key, entry];
        cut.add(name);
        // The last lines of a log are the newest.
        return [key, name === 'logs' ? entry.slice(-most) : entry.slice(0, most)];
      }),
    );
  }
  const sections = Object.fromEntries(detailsOf(row).map(([name, value]) => [name, shorten(name, value)]));
  const left = cut.size === 0 ? {} : { left_out: [...cut] };
  return inspectionData.shape.containers.element.parse({ ...row, ...sections, ...left });
}

function withoutDetails(row: InspectedRow): InspectedRow {
  const { vmid, name, state, problems, incomplete, not_checked } = row;
  const more = problems.length - MOST_PROBLEMS;
  const left_out = detailsOf(row).map(([section]) => section);
  return {
    vmid,
    name,
    state,
    problems: more > 0 ? [...problems.slice(0, MOST_PROBLEMS), `${more} more`] : problems,
    incomplete,
    not_checked: not_checked.slice(0, MOST_UNCHECKED),
    ...(left_out.length === 0 ? {} : { left_out }),
  };
}

const BASE: ReadonlySet<string> = new Set([
  'vmid',
  'name',
  'state',
  'problems',
  'incomplete',
  'not_checked',
  'left_out',
]);

function detailsOf(row: InspectedRow): [string, unknown][] {
  return Object.entries(row).filter(([name]) => !BASE.has(name));
}

function lengthOf(value: unknown): number {
  return JSON.stringify(value).length;
}
