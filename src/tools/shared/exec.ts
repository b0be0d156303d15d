import * as z from 'zod';
import { formatDuration } from '../../lib/duration.ts';
import { errorText } from '../../lib/error-text.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { JobCapture } from '../../proxmox/jobs/job-types.ts';
import { ENDED_CODES, type ExecResult, type ExecTarget, type Keep } from '../../proxmox/proxmox-types.ts';
import type { Reply, ToolContext, ToolSettings } from '../tool.ts';
import { formatBytes, framed, frameWord, reply } from './format.ts';
import { jobData, jobNotes, jobState } from './jobs.ts';
import { command, commandTimeout, flag, type ResponseFormat, responseFormat, timeoutOf } from './params.ts';

/** How to start a daemon, which is no job. */
const DETACH = '`COMMAND >/tmp/out 2>&1 </dev/null &`';

/** The parameters for the length of an output. */
export const outputLimit = {
  max_output: z
    .int({ error: 'must be an integer of at least 100 (characters)' })
    .min(100, { error: 'must be an integer of at least 100 (characters)' })
    .meta({ minimum: undefined, maximum: undefined })
    .optional()
    .describe('Characters of output to return'),
  keep: z
    .enum(['head', 'tail', 'both'], { error: 'must be "head", "tail" or "both"' })
    .default('both')
    .describe('Part of a longer output'),
};

/** The characters that a call may return: what it asks for, at most what the operator allows. */
export function characterLimitOf(
  { max_output: asked }: { readonly max_output?: number | undefined },
  { characterLimit }: Pick<ToolSettings, 'characterLimit'>,
): number {
  return Math.min(asked ?? characterLimit, characterLimit);
}

/** The parameters of every tool that runs a command. */
export const execInput = {
  command,
  timeout: commandTimeout,
  background: flag('Run as a job'),
  ...outputLimit,
  response_format: responseFormat('text'),
};

export const execOutput = z.object({
  exit_code: z.number().nullable(),
  stdout: z.string(),
  stderr: z.string(),
  success: z.boolean().optional(),
  stdout_truncated: z.boolean(),
  stdout_original_length: z.number(),
  stdout_lines: z.number(),
  stderr_truncated: z.boolean(),
  stderr_original_length: z.number(),
  stderr_lines: z.number(),
  duration_ms: z.number(),
  ended: z.enum(['exit', 'timeout', 'cancelled', 'disconnected']).nullable(),
  job: z.string().optional(),
  state: z.enum(['running', 'ended']).optional(),
  timeout_s: z.number().optional(),
  survivors: z.array(z.object({ pid: z.number(), name: z.string() })).nullable(),
  output_held: z.boolean(),
  redacted: z.number().optional(),
  note: z.string().optional(),
  error: z.string().optional(),
  code: z.string().optional(),
  suggestion: z.string().optional(),
});

type ExecData = z.output<typeof execOutput>;

interface ExecRequest {
  readonly command: string;
  readonly timeout?: number | undefined;
  readonly background: boolean;
  readonly max_output?: number | undefined;
  readonly keep: Keep;
  readonly response_format: ResponseFormat;
}

/**
 * Runs a command in a container or on the host and reports its actual result. In the background, and where the command may take
 * longer than calls may last, it runs as a job from its start.
 * @param tool the tool that is called
 */
export async function runCommand(
  target: ExecTarget,
  tool: string,
  request: ExecRequest,
  ctx: ToolContext,
): Promise<Reply<ExecData>> {
  const { command, background, keep } = request;
  const { waitLimit } = ctx.settings;
  const characterLimit = characterLimitOf(request, ctx.settings);
  const timeoutS = timeoutOf(request);
  const presentation = { timeoutS, keep, format: request.response_format, label: target.label };
  if (background || (waitLimit !== undefined && timeoutS > waitLimit)) {
    const { runAsJob, toExecResult } = await import('./background.ts');
    const capture = await runAsJob(
      target,
      { tool, command, timeoutS, characterLimit, keep, background },
      ctx,
    );
    if (capture.job.state === 'running') return presentJob(capture, request.response_format);
    const { data, ...rest } = presentExec(toExecResult(capture), presentation);
    return { ...rest, data: { ...data, job: capture.job.id, state: 'ended' } };
  }
  const result = await target.exec(command, {
    timeoutMs: timeoutS * 1000,
    signal: ctx.signal,
    characterLimit,
    keep,
    onOutput: (bytes, recent) =>
      ctx.progress(`${formatBytes(bytes)} of output`, undefined, undefined, recent),
  });
  return presentExec(result, presentation);
}

/** A job that is still running, with its output so far. */
function presentJob({ job, stdout, stderr }: JobCapture, format: ResponseFormat): Reply<ExecData> {
  const redacted = stdout.redacted + stderr.redacted;
  const notes = [
    `${jobState(job)} It continues without this call. Use proxmox_get_job with \`wait\` for its result, and proxmox_cancel_job to end it.`,
    ...jobNotes(job),
  ];
  const data: ExecData = {
    job: jobData(job).job,
    state: 'running',
    timeout_s: job.timeoutS,
    exit_code: null,
    stdout: stdout.text,
    stderr: stderr.text,
    stdout_truncated: stdout.truncated,
    stdout_original_length: stdout.originalLength,
    stdout_lines: stdout.lines,
    stderr_truncated: stderr.truncated,
    stderr_original_length: stderr.originalLength,
    stderr_lines: stderr.lines,
    duration_ms: job.durationMs ?? 0,
    ended: null,
    survivors: [],
    output_held: false,
    ...(redacted === 0 ? {} : { redacted }),
    note: notes.join(' '),
  };
  return reply(data, format, execText);
}

export interface ExecPresentation {
  readonly timeoutS: number;
  readonly keep: Keep;
  readonly format: ResponseFormat;
  /** Name of the container or host, for messages. */
  readonly label: string;
}

export function presentExec(result: ExecResult, options: ExecPresentation): Reply<ExecData> {
  const redacted = result.stdout.redacted + result.stderr.redacted;
  const data: ExecData = {
    exit_code: result.ended === 'exit' ? result.exitCode : null,
    stdout: result.stdout.text,
    stderr: result.stderr.text,
    success: result.ended === 'exit' && result.exitCode === 0,
    stdout_truncated: result.stdout.truncated,
    stdout_original_length: result.stdout.originalLength,
    stdout_lines: result.stdout.lines,
    stderr_truncated: result.stderr.truncated,
    stderr_original_length: result.stderr.originalLength,
    stderr_lines: result.stderr.lines,
    duration_ms: Math.round(result.durationMs),
    ended: result.ended,
    survivors: result.survivors === null ? null : result.survivors.map(({ pid, name }) => ({ pid, name })),
    output_held: result.outputHeld,
    ...(redacted === 0 ? {} : { redacted }),
    ...noteOf(result, options),
    ...failureOf(result, options),
  };
  return { ...reply(data, options.format, execText), ...(data.error === undefined ? {} : { isError: true }) };
}

/** Notes for the caller that are not errors. */
function noteOf(result: ExecResult, { keep }: Pick<ExecPresentation, 'keep'>): { note?: string } {
  const notes: string[] = [];
  if (result.stdout.truncated || result.stderr.truncated) {
    notes.push(
      `The output was cut ${CUT_AT[keep]}. Narrow it down with grep, head or tail, or write it to a file and read that in parts.`,
    );
  }
  if (result.outputHeld) {
    notes.push(
      `The command left background processes that still have its output streams open. Their further output is discarded. Start such processes with ${DETACH}.`,
    );
  }
  return notes.length === 0 ? {} : { note: notes.join(' ') };
}

const CUT_AT = { head: 'at its end', tail: 'at its beginning', both: 'in the middle' } as const;

const EXIT_UNKNOWN = {
  error:
    'The exit code is unknown: the shell that runs the command was killed, or the container was stopped, while the command ran.',
  code: 'EXIT_UNKNOWN' satisfies ErrorCode,
  suggestion:
    'Check with proxmox_container_status that the container is running, and check the effects of the command before you repeat it.',
};

/** Error fields when the command did not exit by itself. */
function failureOf(result: ExecResult, options: ExecPresentation) {
  const after = formatDuration(result.durationMs);
  switch (result.ended) {
    case 'exit':
      return result.exitCode === null ? EXIT_UNKNOWN : {};
    case 'timeout':
      return {
        error: `The command did not end within its timeout of ${options.timeoutS} s in ${options.label} ${killSentence(result)}`,
        code: ENDED_CODES.timeout,
        suggestion: `Check the effects of the command before you repeat it. Use a larger timeout: over 300 seconds with \`background\`.`,
      };
    case 'cancelled':
      return {
        error: `The command was cancelled after ${after} in ${options.label} ${killSentence(result)}`,
        code: ENDED_CODES.cancelled,
        suggestion: 'No action is needed. Changes that the command made before the cancellation remain.',
      };
    case 'disconnected':
      return {
        error: `The connection to ${result.node ? `node ${result.node}` : 'the Proxmox node'} was lost after ${after}; the command in ${options.label} may still be running.`,
        code: ENDED_CODES.disconnected,
        suggestion:
          'Check with ps whether the command is still running before you repeat it. The next call opens a new connection.',
      };
  }
}

function killSentence(result: ExecResult): string {
  if (result.survivors === null) {
    return 'and could not be killed, or the kill could not be verified. Its processes may still be running.';
  }
  if (result.survivors.length === 0) return 'and was killed. None of its processes is left.';
  const names = result.survivors.map(({ pid, name }) => `${name} (pid ${pid} on the node)`).join(', ');
  return `and was killed, but these processes survived: ${names}.`;
}

/**
 * Sections for stdout, stderr and the exit code; an empty stream has none. Each stream is framed by lines with a random
 * word, so that text from the container cannot pose as text of this server.
 */
function execText(data: ExecData): string {
  const sections: string[] = [];
  const word = frameWord();
  if (data.stdout !== '') {
    const { stdout_original_length: length, stdout_lines: lines } = data;
    const cut = data.stdout_truncated ? { length, lines } : null;
    sections.push(outputSection('STDOUT', word, data.stdout, cut));
  }
  if (data.stderr !== '') {
    const { stderr_original_length: length, stderr_lines: lines } = data;
    const cut = data.stderr_truncated ? { length, lines } : null;
    sections.push(outputSection('STDERR', word, data.stderr, cut));
  }
  if (sections.length === 0) sections.push('(no output)');
  if (data.state !== 'running')
    sections.push(
      `Exit code: ${data.exit_code ?? (data.ended === 'exit' ? 'unknown' : `none (${data.ended})`)}`,
    );
  if (data.error !== undefined) {
    sections.push(errorText(String(data.code), data.error, String(data.suggestion)));
  }
  if (data.note !== undefined) sections.push(`Note: ${data.note}`);
  return sections.join('\n\n');
}

/**
 * Text from a container, framed.
 * @param word random, see execText
 * @param cut the size of the original, if the text is only a part of it
 */
export function outputSection(
  title: string,
  word: string,
  text: string,
  cut: { readonly length: number; readonly lines: number } | null,
): string {
  const size = cut === null ? '' : ` (cut; ${cut.length} characters in ${cut.lines} lines in all)`;
  return `${title}${size}:\n${framed(word, text)}`;
}
