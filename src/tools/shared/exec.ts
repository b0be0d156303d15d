import * as z from 'zod';
import { formatDuration } from '../../lib/duration.ts';
import { errorText } from '../../lib/error-text.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import { ENDED_CODES, type ExecResult, type ExecTarget } from '../../proxmox/proxmox-types.ts';
import type { Reply, ToolContext } from '../tool.ts';
import { formatBytes, reply } from './format.ts';
import { command, type ResponseFormat, responseFormat, seconds } from './params.ts';

/** The parameters of every tool that runs a command. */
export const execInput = { command, timeout: seconds(30), response_format: responseFormat('text') };

export const execOutput = z.object({
  exit_code: z.number().nullable(),
  stdout: z.string(),
  stderr: z.string(),
  success: z.boolean(),
  stdout_truncated: z.boolean(),
  stdout_original_length: z.number(),
  stderr_truncated: z.boolean(),
  stderr_original_length: z.number(),
  duration_ms: z.number(),
  ended: z.enum(['exit', 'timeout', 'cancelled', 'disconnected']),
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
  readonly timeout: number;
  readonly response_format: ResponseFormat;
}

/** Runs a command in a place and tells what really happened to it. */
export async function runCommand(
  place: ExecTarget,
  request: ExecRequest,
  ctx: ToolContext,
): Promise<Reply<ExecData>> {
  const result = await place.exec(request.command, {
    timeoutMs: request.timeout * 1000,
    signal: ctx.signal,
    characterLimit: ctx.settings.characterLimit,
    onOutput: (bytes) => ctx.progress(`${formatBytes(bytes)} of output`),
  });
  return presentExec(result, {
    timeoutS: request.timeout,
    format: request.response_format,
    label: place.label,
  });
}

export interface ExecPresentation {
  readonly timeoutS: number;
  readonly format: ResponseFormat;
  /** Of the place where it ran, for messages. */
  readonly label: string;
}

/** How to start what shall go on after the call, said wherever a command was held up by not doing so. */
const DETACH = '`COMMAND >/tmp/out 2>&1 </dev/null &`';

export function presentExec(result: ExecResult, options: ExecPresentation): Reply<ExecData> {
  const redacted = result.stdout.redacted + result.stderr.redacted;
  const data: ExecData = {
    exit_code: result.ended === 'exit' ? result.exitCode : null,
    stdout: result.stdout.text,
    stderr: result.stderr.text,
    success: result.ended === 'exit' && result.exitCode === 0,
    stdout_truncated: result.stdout.truncated,
    stdout_original_length: result.stdout.originalLength,
    stderr_truncated: result.stderr.truncated,
    stderr_original_length: result.stderr.originalLength,
    duration_ms: Math.round(result.durationMs),
    ended: result.ended,
    survivors: result.survivors === null ? null : result.survivors.map(({ pid, name }) => ({ pid, name })),
    output_held: result.outputHeld,
    ...(redacted === 0 ? {} : { redacted }),
    ...noteOf(result),
    ...failureOf(result, options),
  };
  return { ...reply(data, options.format, execText), ...(data.error === undefined ? {} : { isError: true }) };
}

/** What the caller should know although nothing failed. */
function noteOf(result: ExecResult): { note?: string } {
  const notes: string[] = [];
  if (result.stdout.truncated || result.stderr.truncated) {
    notes.push(
      'The output was cut in the middle. For the rest, narrow it down (grep, head, tail), or write it to a file and read that in parts.',
    );
  }
  if (result.outputHeld) {
    notes.push(
      `Processes that the command left in the background still hold its output; what they print from now on is lost. Start such processes with: ${DETACH}`,
    );
  }
  return notes.length === 0 ? {} : { note: notes.join(' ') };
}

const EXIT_UNKNOWN = {
  error:
    'The exit code is unknown: the shell that reports it was killed, or the container was stopped, while the command ran.',
  code: 'EXIT_UNKNOWN' satisfies ErrorCode,
  suggestion:
    'Look whether what the command should do is done before repeating it, and with proxmox_container_status whether the container runs.',
};

/** What is said when the command did not come to its own end. */
function failureOf(result: ExecResult, options: ExecPresentation) {
  const after = formatDuration(result.durationMs);
  switch (result.ended) {
    case 'exit':
      return result.exitCode === null ? EXIT_UNKNOWN : {};
    case 'timeout':
      return {
        error: `The command did not end within its timeout of ${options.timeoutS} s in ${options.label} ${killSentence(result)}`,
        code: ENDED_CODES.timeout,
        suggestion: `Call again with a larger timeout (at most 300), or start it with ${DETACH} and read /tmp/out with a later call.`,
      };
    case 'cancelled':
      return {
        error: `The command was cancelled after ${after} in ${options.label} ${killSentence(result)}`,
        code: ENDED_CODES.cancelled,
        suggestion: 'Nothing needs to be done; what it changed before the cancellation stays changed.',
      };
    case 'disconnected':
      return {
        error: `The connection to the Proxmox node was lost after ${after}; the command in ${options.label} may still run.`,
        code: ENDED_CODES.disconnected,
        suggestion:
          'Look whether it still runs (ps) before repeating it; the next call opens a new connection.',
      };
  }
}

function killSentence(result: ExecResult): string {
  if (result.survivors === null) {
    return 'and could not be killed, or the kill not be verified: its processes may still run.';
  }
  if (result.survivors.length === 0) return 'and was killed. None of its processes is left.';
  const names = result.survivors.map(({ pid, name }) => `${name} (pid ${pid} on the node)`).join(', ');
  return `and was killed, but these processes survived: ${names}.`;
}

/** Sections for stdout, stderr and the exit code; an empty stream has none. */
function execText(data: ExecData): string {
  const sections: string[] = [];
  if (data.stdout !== '') {
    sections.push(section('STDOUT', data.stdout, data.stdout_truncated, data.stdout_original_length));
  }
  if (data.stderr !== '') {
    sections.push(section('STDERR', data.stderr, data.stderr_truncated, data.stderr_original_length));
  }
  if (sections.length === 0) sections.push('(no output)');
  sections.push(
    `Exit code: ${data.exit_code ?? (data.ended === 'exit' ? 'unknown' : `none (${data.ended})`)}`,
  );
  if (data.error !== undefined) {
    sections.push(errorText(String(data.code), data.error, String(data.suggestion)));
  }
  if (data.note !== undefined) sections.push(`Note: ${data.note}`);
  return sections.join('\n\n');
}

function section(title: string, text: string, truncated: boolean, originalLength: number): string {
  const cut = truncated ? ` (cut; ${originalLength} characters in all)` : '';
  return `${title}${cut}:\n${text.replace(/\n$/, '')}`;
}
