import * as z from 'zod';
import { table } from '../lib/columns.ts';
import { similarFiles } from '../proxmox/inspect/log-errors.ts';
import { patternProblem } from '../proxmox/inspect/log-pattern.ts';
import { type LogLine, PRIORITIES, type SimilarFile } from '../proxmox/inspect/log-types.ts';
import { framed, frameWord } from './shared/format.ts';
import { parseLogTime } from './shared/log-time.ts';
import { containerInput, flag, path } from './shared/params.ts';
import { defineContainerTool } from './tool.ts';

const MOST_LINES = 2000;
const MOST_CONTEXT = 20;
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

function integer(least: number, most: number, fallback: number) {
  const rule = { error: `must be an integer from ${least} to ${most}` };
  return z.int(rule).min(least, rule).max(most, rule).default(fallback);
}

const input = containerInput({
  path: path('Log file; omitted: the journal')
    .refine((value) => value.startsWith('/'), { error: 'must be absolute' })
    .optional(),
  unit: text(256)
    .refine((value) => /^[\w:@.\\*?-]+$/.test(value), { error: 'must be the name of a unit, like "nginx"' })
    .optional()
    .describe('Systemd unit'),
  since: time.optional().describe('Like 2026-05-14 03:12, or 2h ago'),
  until: time.optional().describe('End, as since'),
  priority: z
    .enum(PRIORITIES, { error: `must be one of ${PRIORITIES.join(', ')}` })
    .optional()
    .describe('And worse'),
  match: text(MOST_MATCH).optional().describe('Text in the line'),
  regex: flag('Match is a grep -E pattern'),
  context: integer(0, MOST_CONTEXT, 0).describe('Lines around matches'),
  lines: integer(1, MOST_LINES, 100).describe('Lines or matches'),
  keep: z
    .enum(['head', 'tail'], { error: 'must be "head" or "tail"' })
    .default('tail')
    .describe('First or last of them'),
  count: flag('Only count lines, and those of each unit'),
  cursor: text(600).optional().describe('From a result; repeat the filters'),
}).superRefine(({ path: file, unit, priority, match, regex }, check) => {
  if (file !== undefined && [unit, priority].some((value) => value !== undefined)) {
    const message =
      'cannot be combined with unit or priority, which apply to the journal. For a file, use match, since and until';
    check.addIssue({ code: 'custom', path: ['path'], message });
  }
  const problem = regex && match !== undefined ? patternProblem(match) : null;
  if (problem !== null) check.addIssue({ code: 'custom', path: ['match'], message: problem });
});

export const readLogs = defineContainerTool({
  name: 'proxmox_read_logs',
  title: 'Read logs of a container',
  description:
    'Read the last or first lines of the journal or of a log file in an LXC container. Filters there, so a huge log costs only its matches. ' +
    'unit, priority: journal only. Without systemd, use path. Rotated files may be compressed.',
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
    similar: z.array(z.object({ path: z.string(), bytes: z.number().nullable() })),
    older: z.string().nullable(),
    newer: z.string().nullable(),
  }),
  async run(request, ctx) {
    const { vmid, match, count, since, until, ...rest } = request;
    const page = await ctx.container.readLog({
      ...rest,
      match,
      since: since === undefined ? undefined : (parseLogTime(since) ?? since),
      until: until === undefined ? undefined : (parseLogTime(until) ?? until),
      countOnly: count,
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
      unit_silent: page.isUnitSilent,
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
  readonly unit_silent: boolean;
  readonly similar: readonly SimilarFile[];
  readonly older: string | null;
  readonly newer: string | null;
}

/** The lines are framed by a random word, so that text of the container cannot pose as text of this server. */
function logText(
  data: LogData,
  {
    count,
    matches,
    isHead,
    isFirst,
    isAtEnd,
    isTimed,
  }: {
    readonly count: boolean;
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
    ...(data.rotated
      ? ['The log was rotated since the cursor was made: this is the beginning of the new file.']
      : []),
    ...(data.damaged
      ? ['The file is damaged or incomplete: only the lines before the fault were read.']
      : []),
    ...(data.unit_silent
      ? ['The journal has no entry of this unit at all. Check the name of the unit.']
      : []),
    // Earlier lines may be in a file that was rotated.
    ...(data.similar.length > 0 && (data.shown === 0 || isTimed) && data.older === null
      ? [`Other files of this log may be: ${similarFiles(data.similar)}.`]
      : []),
  ];
  if (count) {
    const parts = [`${data.total ?? '?'} ${what(data.total)} in ${where}.`, ...notes, ...unitTable(data)];
    return parts.join('\n');
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
    `${isHead ? `The ${isFirst ? 'first' : 'next'} ` : ''}${data.shown}${total} ${what(data.total ?? data.shown)} of ${where}:`,
    ...notes,
    framed(word, data.log),
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
