import * as z from 'zod';
import type { ToolSettings } from '../tool.ts';
import { command, commandTimeout, flag, responseFormat } from './params.ts';

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

/** The maximum number of characters that a call returns: `max_output`, but not more than the operator's limit. */
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

export type ExecData = z.output<typeof execOutput>;
