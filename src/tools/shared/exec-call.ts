import type { ExecTarget, Keep } from '../../proxmox/proxmox-types.ts';
import type { Reply, ToolContext } from '../tool.ts';
import { characterLimitOf, type ExecData } from './exec-schema.ts';
import { formatBytes } from './format.ts';
import { type ResponseFormat, timeoutOf } from './params.ts';
import { presentExec, presentJob } from './present-exec.ts';

interface ExecRequest {
  readonly command: string;
  readonly timeout?: number | undefined;
  readonly background: boolean;
  readonly max_output?: number | undefined;
  readonly keep: Keep;
  readonly response_format: ResponseFormat;
}

/**
 * Runs a command in a container or on the host and reports its actual result. It runs as a job from its start with
 * `background`, and if its timeout is longer than calls may last and there are tools to read jobs.
 * @param tool the tool that is called
 */
export async function runCommand(
  target: ExecTarget,
  tool: string,
  request: ExecRequest,
  ctx: ToolContext,
): Promise<Reply<ExecData>> {
  const { command, background, keep } = request;
  const { waitLimit, toolsets } = ctx.settings;
  const characterLimit = characterLimitOf(request, ctx.settings);
  const timeoutS = timeoutOf(request);
  const presentation = { timeoutS, keep, format: request.response_format, label: target.label };
  if (background || (waitLimit !== undefined && timeoutS > waitLimit && toolsets.includes('jobs'))) {
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
