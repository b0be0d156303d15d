import * as z from 'zod';
import { table } from '../lib/columns.ts';
import { similarFiles } from '../proxmox/inspect/log-errors.ts';
import { patternProblem } from '../proxmox/inspect/log-pattern.ts';
import {
  type LogGroup,
  type LogLine,
  PRIORITIES,
  type SimilarFile,
  TIME_UNITS,
  type TimeUnit,
} from '../proxmox/inspect/log-types.ts';
import { framed, frameWord } from './shared/format.ts';
import { parseLogTime } from './shared/log-time.ts';
import { containerInput, flag, path } from './shared/params.ts';
import { defineContainerTool } from './tool.ts';

const MOST_LINES = 2000;
const MOST_CONTEXT = 20;
const MOST_GROUPS = 200;
const MOST_MATCH = 500;

const text = (most: number) =>
  z
    .string({ error: 'must be a string' })
    .min(1, { error: 'must not be empty' })
    .max(most, { error: `must have at most ${most} characters` })
    .refine((value) => !/[\0\n\r]/.test(value), { error: 'must be one line' });

const time = text(40).refine((value) => parseLogTime(value) !== null, {
  error: 'must be a time like "2026-05-14 03:12", "2026-05-14T03:12:00Z", or "2h" for two hours ago',
});

function integer(least: number, most: number) {
  const rule = { error: `must be an integer from ${least} to ${most}` };
  return z.int(rule).min(least, rule).max(most, rule);
}

const input = containerInput({
  path: path(
    'Log file, or a pattern like /var/log/app.log* of rotated ones, read as one; omitted: the journal',
  )
    .refine((value) => value.startsWith('/'), { error: 'must be absolute' })
    .optional(),
  unit: text(256)
    .refine((value) => /^[\w:@.\\*?-]+(?:[, ]+[\w:@.\\*?-]+)*$/.test(value), {
      error: 'must be names of units, like "nginx" or "nginx,php*"',
    })
    .optional()
    .describe('Like nginx,php*'),
  since: time.optional().describe('Like 2026-05-14 03:12, today 03:12, 2h'),
  until: time.optional().describe('End, as since'),
  priority: z
    .enum(PRIORITIES, { error: `must be one of ${PRIORITIES.join(', ')}` })
    .optional()
    .describe('And worse'),
  match: text(MOST_MATCH).optional().describe('Text in the line'),
  regex: flag('Match is a grep -E pattern'),
  context: integer(0, MOST_CONTEXT).default(0).describe('Lines around matches'),
  lines: integer(1, MOST_LINES).optional().describe('Most lines (default 100) or groups (20)'),
  keep: z
    .enum(['head', 'tail'], { error: 'must be "head" or "tail"' })
    .default('tail')
    .describe('First or last of them'),
  count: flag('Only count, with the first and last match, and by unit'),
  group: text(MOST_MATCH)
    .optional()
    .describe(
      'Count equal lines: message (numbers aside), minute, hour, day, or a grep -E pattern of the text',
    ),
  cursor: text(600).optional().describe('From a result; repeat the filters'),
}).superRefine(({ path: file, unit, priority, match, regex, group, cursor }, check) => {
  if (file !== undefined && [unit, priority].some((value) => value !== undefined)) {
    const message =
      'cannot be combined with unit or priority, which apply to the journal. For a file, use match, since and until';
    check.addIssue({ code: 'custom', path: ['path'], message });
  }
  const problem = regex && match !== undefined ? patternProblem(match) : null;
  if (problem !== null) check.addIssue({ code: 'custom', path: ['match'], message: problem });
  const groupProblem =
    group !== undefined && cursor !== undefined
      ? 'cannot be combined with cursor: groups have no pages'
      : patternProblem(group ?? '');
  if (groupProblem !== null) check.addIssue({ code: 'custom', path: ['group'], message: groupProblem });
});

export const readLogs = defineContainerTool({
  name: 'proxmox_read_logs',
  title: 'Read logs of a container',
  description:
    'Lines of the journal or of log files in an LXC container: the last ones and the first match, counts, or the most frequent messages. ' +
    'Filters there, so a huge log costs only its matches. Without systemd, use path. Decompresses files.',
  toolset: 'inspect',
  effect: 'read',
  discloses: true,
  textOnly: true,
  input,
  output: z.object({
    vmid: z.number(),
    source: z.string(),
    /** The lines as text; a line of a file has its number and a colon in front, or a hyphen if it is context. */
    log: z.string(),
    shown: z.number(),
    total: z.number().nullable(),
    /** Of a count in the journal: the units with most lines, and how many there are. */
    units: z.array(z.object({ unit: z.string(), lines: z.number() })).optional(),
    units_total: z.number().optional(),
    remaining: z.number().nullable(),
    rotated: z.boolean(),
    damaged: z.boolean(),
    unit_silent: z.boolean(),
    silent_units: z.array(z.string()).optional(),
    /** The first match where `log` does not contain it, and of a count also the last one. */
    first: z.string().optional(),
    last: z.string().optional(),
    groups: z
      .array(z.object({ lines: z.number(), first: z.string(), last: z.string(), text: z.string() }))
      .optional(),
    groups_total: z.number().optional(),
    /** Lines of groups that were dropped, as there were too many, and by how much counts may be too low. */
    groups_dropped: z.number().optional(),
    groups_error: z.number().optional(),
    /** The files that were read as one, the oldest first. */
    files: z.array(z.string()).optional(),
    similar: z.array(z.object({ path: z.string(), bytes: z.number().nullable() })),
    older: z.string().nullable(),
    newer: z.string().nullable(),
  }),
  async run(request, ctx) {
    const { vmid, match, count, since, until, group, lines, ...rest } = request;
    const by = TIME_UNITS.find((unit) => unit === group) ?? (group === 'message' ? group : 'text');
    const page = await ctx.container.readLog({
      ...rest,
      match,
      since: since === undefined ? undefined : (parseLogTime(since) ?? since),
      until: until === undefined ? undefined : (parseLogTime(until) ?? until),
      countOnly: count,
      group: group === undefined ? undefined : by === 'text' ? `text:${group}` : by,
      lines: group === undefined ? (lines ?? 100) : Math.min(lines ?? 20, MOST_GROUPS),
      characterLimit: ctx.settings.characterLimit,
      signal: ctx.signal,
    });
    const data = {
      vmid,
      source: request.path ?? 'journal',
      log: page.lines.map(lineText).join('\n'),
      shown: page.lines.filter(({ kind }) => kind === 'match').length,
      total: page.total,
      ...(page.unitsTotal === null
        ? {}
        : {
            units: page.units.map(({ name, lines }) => ({ unit: name, lines })),
            units_total: page.unitsTotal,
          }),
      remaining: page.remaining,
      rotated: page.rotated,
      damaged: page.damaged,
      unit_silent: page.silentUnits.length > 0,
      ...(page.silentUnits.length === 0 ? {} : { silent_units: [...page.silentUnits] }),
      ...(page.first === null ? {} : { first: lineText(page.first) }),
      ...(page.last === null ? {} : { last: lineText(page.last) }),
      ...(page.groups === null
        ? {}
        : {
            groups:
              by !== 'message' && by !== 'text' ? page.groups.shown.toReversed() : [...page.groups.shown],
            groups_total: page.groups.total,
            groups_dropped: page.groups.droppedLines,
            groups_error: page.groups.error,
          }),
      ...(page.files.length === 0 ? {} : { files: page.files.map(({ path: name }) => name) }),
      similar: page.similar.map(({ path: name, bytes }) => ({ path: name, bytes })),
      older: page.older,
      // The caller has it already.
      newer: page.newer === rest.cursor ? null : page.newer,
    };
    return {
      data,
      text: (shown) =>
        logText(shown, {
          count,
          by: group === undefined ? null : by,
          matches: match !== undefined,
          isHead: rest.keep === 'head',
          isFirst: rest.cursor === undefined,
          isAtEnd: page.newer !== null && page.newer === rest.cursor,
          isTimed: since !== undefined || until !== undefined,
        }),
    };
  },
});

function lineText({ number, text: line, kind, unit }: LogLine): string {
  if (kind === 'gap') return line;
  if (number === null) return unit === null ? line : withUnit(line, unit);
  return `${number}${kind === 'context' ? '-' : ':'}${line}`;
}

/** Shows the unit of a journal entry after its time, unless the name of the program shows it. */
function withUnit(line: string, unit: string): string {
  const [, time, entry] = /^(\d{4}-\S+ )(.*)$/s.exec(line) ?? [];
  if (time === undefined || entry === undefined) return line;
  const name = unit === 'init.scope' ? 'systemd' : unit.replace(/\.service$/, '');
  return entry.startsWith(`${name}[`) || entry.startsWith(`${name}:`) ? line : `${time}${unit} ${entry}`;
}

interface LogData {
  readonly vmid: number;
  readonly source: string;
  readonly log: string;
  readonly shown: number;
  readonly total: number | null;
  readonly units?: readonly { readonly unit: string; readonly lines: number }[] | undefined;
  readonly units_total?: number | undefined;
  readonly rotated: boolean;
  readonly damaged: boolean;
  readonly silent_units?: readonly string[] | undefined;
  readonly first?: string | undefined;
  readonly last?: string | undefined;
  readonly groups?: readonly LogGroup[] | undefined;
  readonly groups_total?: number | undefined;
  readonly groups_dropped?: number | undefined;
  readonly groups_error?: number | undefined;
  readonly files?: readonly string[] | undefined;
  readonly similar: readonly SimilarFile[];
  readonly older: string | null;
  readonly newer: string | null;
}

/** The lines are framed by a random word, so that text of the container cannot pose as text of this server. */
function logText(
  data: LogData,
  {
    count,
    by,
    matches,
    isHead,
    isFirst,
    isAtEnd,
    isTimed,
  }: {
    readonly count: boolean;
    readonly by: TimeUnit | 'message' | 'text' | null;
    readonly matches: boolean;
    readonly isHead: boolean;
    readonly isFirst: boolean;
    readonly isAtEnd: boolean;
    readonly isTimed: boolean;
  },
): string {
  const what = (number: number | null) => `${matches ? 'matching ' : ''}${number === 1 ? 'line' : 'lines'}`;
  const where = `${data.source} of container ${data.vmid}`;
  const notes = [
    ...filesNote(data.files ?? []),
    ...(data.rotated
      ? ['The log was rotated since the cursor was made: this is the beginning of the new file.']
      : []),
    ...(data.damaged
      ? ['The file is damaged or incomplete: only the lines before the fault were read.']
      : []),
    ...(data.silent_units === undefined
      ? []
      : [
          `The journal has no entry at all of: ${data.silent_units.join(', ')}. Check the names of the units.`,
        ]),
    // Earlier lines may be in a file that was rotated.
    ...(data.similar.length > 0 && (data.shown === 0 || isTimed) && data.older === null
      ? [`Other files of this log may be: ${similarFiles(data.similar)}.`]
      : []),
  ];
  if (by !== null) {
    return [
      `${data.total ?? '?'} ${by === 'text' ? TEXTS : what(data.total)} in ${where}.`,
      ...notes,
      ...groupTable(data, by),
    ].join('\n');
  }
  if (count) {
    const ends = matches ? [data.first, data.last].filter((line) => line !== undefined) : [];
    return [
      `${data.total ?? '?'} ${what(data.total)} in ${where}.`,
      ...notes,
      ...(ends.length === 0
        ? []
        : [ends.length === 1 ? 'It is:' : 'The first and the last:', framed(frameWord(), ends.join('\n'))]),
      ...unitTable(data),
    ].join('\n');
  }
  const total = data.total === null || data.total === 0 ? '' : ` of ${data.total}`;
  const pages = [
    ...(data.older === null ? [] : [`Older lines: cursor="${data.older}"`]),
    ...(data.newer === null
      ? isAtEnd
        ? ['Lines written later: the same cursor']
        : []
      : [`${isHead ? 'Lines after these' : 'Lines written later'}: cursor="${data.newer}"`]),
  ];
  if (data.shown === 0) return [`No ${what(null)}${total} in ${where}.`, ...notes, ...pages].join('\n');
  const word = frameWord();
  return [
    `${isHead ? `The ${isFirst ? 'first' : 'next'} ` : ''}${data.shown}${total} ${what(data.total ?? data.shown)} of ${where}${data.first === undefined ? '' : ', after the first of all'}:`,
    ...notes,
    framed(word, data.first === undefined ? data.log : `${data.first}\n--\n${data.log}`),
    ...pages,
  ].join('\n');
}

/** The units with most of the counted lines. Their names are text of the container. */
function unitTable({ units = [], units_total: total = 0 }: LogData): string[] {
  if (units.length === 0) return [];
  const rest = total - units.length;
  const rows = units.map(({ unit, lines }) => [String(lines), unit]);
  return [
    'By unit, or by program without one:',
    framed(frameWord(), table(rows)),
    ...(rest > 0 ? [`${rest} more ${rest === 1 ? 'name is' : 'names are'} not shown.`] : []),
  ];
}

const TEXTS = 'texts that match `group`';

/** What is equal, with its first and last time, if these are known. */
function groupTable(data: LogData, by: TimeUnit | 'message' | 'text'): string[] {
  const { groups = [], groups_total: total = 0, groups_dropped: dropped = 0, groups_error: error = 0 } = data;
  if (groups.length === 0) return [];
  const hasTimes = groups.some(({ first }) => first !== '');
  const rows = groups.map(({ lines, first, last, text: message }) => [
    String(lines),
    ...(hasTimes ? [first, last === first ? '' : last] : []),
    message,
  ]);
  const shown = total > groups.length ? `${groups.length} of ${total}` : String(total);
  const isTime = by !== 'message' && by !== 'text';
  return [
    isTime
      ? `${total > groups.length ? 'The last ' : ''}${shown} by ${by}:`
      : `${shown} different, most frequent first${hasTimes ? ' (count, first and last time, first text)' : ''}:`,
    framed(frameWord(), table(rows)),
    ...(dropped > 0
      ? [
          `There are too many different ones to count all: ${dropped} are in rare ones that were dropped, and each count may be up to ${error} too low. Narrow it down with match, since or until.`,
        ]
      : []),
  ];
}

/** The files that were read as one. Their names are text of the container. */
function filesNote(files: readonly string[]): string[] {
  if (files.length === 0) return [];
  const [first = ''] = files;
  const directory = first.slice(0, first.lastIndexOf('/') + 1);
  const names = files.every(
    (name) => name.lastIndexOf('/') + 1 === directory.length && name.startsWith(directory),
  )
    ? files.map((name) => name.slice(directory.length))
    : files;
  const shown = names.length > FEW_FILES ? [...names.slice(0, 2), '…', ...names.slice(-2)] : names;
  return [`${files.length} ${files.length === 1 ? 'file' : 'files, oldest first'}: ${shown.join(', ')}.`];
}

const FEW_FILES = 8;
