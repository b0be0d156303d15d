import { formatDuration } from '../../lib/duration.ts';
import { errorText } from '../../lib/error-text.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import { ENDED_CODES } from '../../proxmox/exec/exec-types.ts';
import { LIMIT_HINT } from '../../proxmox/exec/reached-limit.ts';
import type { JobCapture } from '../../proxmox/jobs/job-types.ts';
import type { ExecResult, Keep } from '../../proxmox/proxmox-types.ts';
import type { Reply } from '../tool.ts';
import type { ExecData } from './exec-schema.ts';
import { framed, frameWord, reply } from './format.ts';
import { jobData, jobNotes, jobState } from './job-fields.ts';
import type { ResponseFormat } from './params.ts';

/** How to start a daemon, for which a job is not suitable. */
const DETACH = '`COMMAND >/tmp/out 2>&1 </dev/null &`';

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

/** A job that is still running, with its output so far. */
export function presentJob({ job, stdout, stderr }: JobCapture, format: ResponseFormat): Reply<ExecData> {
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

/** The error for a command whose wrapper has not reported its end. */
function exitUnknown(result: ExecResult) {
  if (result.cause) {
    return {
      error: `The exit code is unknown: the shell that runs the command could not start it, or was killed. ${result.cause} ${leftSentence(result)}`,
      code: 'EXIT_UNKNOWN' satisfies ErrorCode,
      suggestion: `${LIMIT_HINT.model} Check the effects of the command before you repeat it.`,
    };
  }
  return {
    error: `The exit code is unknown: the shell that runs the command was killed, or the container was stopped, while the command ran. ${leftSentence(result)}`,
    code: 'EXIT_UNKNOWN' satisfies ErrorCode,
    suggestion:
      'Check with proxmox_container_status that the container is running, and check the effects of the command before you repeat it.',
  };
}

/** Error fields when the command did not exit by itself. */
function failureOf(result: ExecResult, options: ExecPresentation) {
  const after = formatDuration(result.durationMs);
  switch (result.ended) {
    case 'exit':
      return result.exitCode === null ? exitUnknown(result) : {};
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
  return `and was killed, but these processes survived: ${survivorNames(result.survivors)}.`;
}

/** What is left of a command that ended without its wrapper. */
function leftSentence({ survivors }: ExecResult): string {
  if (survivors === null) return 'Its processes may still be running.';
  if (survivors.length === 0) return 'None of its processes is left.';
  return `These processes of it could not be killed: ${survivorNames(survivors)}.`;
}

function survivorNames(survivors: NonNullable<ExecResult['survivors']>): string {
  return survivors.map(({ pid, name }) => `${name} (pid ${pid} on the node)`).join(', ');
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
