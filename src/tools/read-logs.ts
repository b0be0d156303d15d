import * as z from 'zod';
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
  lines: integer(1, MOST_LINES, 100).describe('Last lines'),
  count: flag('Only count lines'),
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
    'Read the last lines of the journal or of a log file in an LXC container. Filters there, so a huge log costs only its matches. ' +
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
      remaining: page.remaining,
      rotated: page.rotated,
      damaged: page.damaged,
      unit_silent: page.isUnitSilent,
      similar: page.similar.map(({ path: name, bytes }) => ({ path: name, bytes })),
      older: page.older,
      newer: page.newer,
    };
    return {
      data,
      text: (shown) =>
        logText(shown, {
          count,
          matches: match !== undefined,
          isTimed: since !== undefined || until !== undefined,
        }),
    };
  },
});

function lineText({ number, text: line, kind }: LogLine): string {
  if (kind === 'gap' || number === null) return line;
  return `${number}${kind === 'context' ? '-' : ':'}${line}`;
}

interface LogData {
  readonly vmid: number;
  readonly source: string;
  readonly log: string;
  readonly shown: number;
  readonly total: number | null;
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
    isTimed,
  }: { readonly count: boolean; readonly matches: boolean; readonly isTimed: boolean },
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
  if (count) return [`${data.total ?? '?'} ${what(data.total)} in ${where}.`, ...notes].join('\n');
  const total = data.total === null || data.total === 0 ? '' : ` of ${data.total}`;
  const pages = [
    ...(data.older === null ? [] : [`Older lines: cursor="${data.older}"`]),
    ...(data.newer === null ? [] : [`Lines written later: cursor="${data.newer}"`]),
  ];
  if (data.shown === 0) return [`No ${what(null)}${total} in ${where}.`, ...notes, ...pages].join('\n');
  const word = frameWord();
  return [
    `${data.shown}${total} ${what(data.total ?? data.shown)} of ${where}:`,
    ...notes,
    framed(word, data.log),
    ...pages,
  ].join('\n');
}
