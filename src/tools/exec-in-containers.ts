import * as z from 'zod';
import { AppError } from '../lib/errors.ts';
import type { Job } from '../proxmox/jobs/job-types.ts';
import { runPerNode } from './shared/batches.ts';
import { commandFor, containerCommands, ownCommand, requireCommand } from './shared/container-commands.ts';
import { groupOutputs, type OutputGroup } from './shared/equal-outputs.ts';
import { characterLimitOf, outputLimit } from './shared/exec-schema.ts';
import { runBatches } from './shared/fleet-batches.ts';
import { failureOf, outcomeOf, outputsOf, type Row, rowsOf } from './shared/fleet-rows.ts';
import { execRow, fleetText, outputGroup } from './shared/fleet-text.ts';
import { command, commandTimeout, flag, requireBackground, timeoutOf, withTimeout } from './shared/params.ts';
import { selectContainers, targetInput } from './shared/targets.ts';
import { type ContainerTarget, defineContainersTool, type Reply, type ToolContext } from './tool.ts';

const NAME = 'proxmox_exec_in_containers';

const positive = { error: 'must be an integer of at least 1' };

const input = z
  .strictObject({
    command: command.optional(),
    commands: containerCommands,
    ...targetInput,
    timeout: commandTimeout,
    background: flag('Run as jobs, return their IDs'),
    batch_size: z
      .int(positive)
      .min(1, positive)
      .meta({ minimum: undefined, maximum: undefined })
      .optional()
      .describe('Containers per batch'),
    canary: flag('First batch is one container; implies stop_on_failure'),
    stop_on_failure: flag('Begin no further container after a failure'),
    check: command
      .optional()
      .describe('Command run in each container after its batch; if it fails, no further batch runs'),
    ...outputLimit,
  })
  .superRefine(requireBackground)
  .superRefine(requireCommand)
  .overwrite(withTimeout)
  .superRefine(({ background, batch_size, canary, stop_on_failure, check }, ctx) => {
    if (!background || (batch_size === undefined && !canary && !stop_on_failure && check === undefined))
      return;
    ctx.addIssue({
      code: 'custom',
      path: ['background'],
      message: 'excludes batch_size, canary, stop_on_failure and check, because nothing waits for the jobs',
    });
  });

const output = z.object({
  success: z.boolean(),
  containers: z.array(execRow),
  outputs: z.array(outputGroup),
  error: z.string().optional(),
  code: z.string().optional(),
  suggestion: z.string().optional(),
});

type Input = z.output<typeof input>;

export const execInContainers = defineContainersTool({
  name: NAME,
  title: 'Run a command in several containers',
  description:
    'Run a shell command as root in several running LXC containers in parallel, or in batches: one `command` in those that ' +
    'match all given selectors (vmids, tags, name, node; at least one, name="*" for all), or `commands`, one for each. ' +
    'Equal outputs are shown once. Every container has a row, also if skipped or refused. For a risky change use canary or batch_size, and check.',
  toolset: 'fleet',
  effect: 'exec',
  input,
  output,
  containers({ commands, ...selection }, search) {
    const vmids = commands?.map(({ vmid }) => vmid) ?? selection.vmids;
    return selectContainers({ ...selection, vmids }, search, 'refuse');
  },
  commandIn: (request, vmid) => ownCommand(request, vmid),
  async run(request, ctx) {
    const usable = ctx.containers.filter(({ refusal }) => refusal === null);
    if (request.background) return startJobs(usable, request, ctx);
    const { attempts, stoppedBy } = await runBatches(usable, request, ctx);
    const rows = rowsOf(ctx.containers, attempts, stoppedBy);
    const outputs = groupOutputs(attempts.flatMap(outputsOf), characterLimitOf(request, ctx.settings));
    const data = {
      success: rows.every(({ status, exit_code, check_exit_code = 0 }) => {
        return status === 'exited' && exit_code === 0 && check_exit_code === 0;
      }),
      containers: rows,
      outputs: outputs.map(({ vmids, of, exitCode, stdout, stderr, difference }) => ({
        vmids: [...vmids],
        of,
        exit_code: exitCode,
        stdout: difference === undefined ? stdout.text : '',
        stderr: difference === undefined ? stderr.text : '',
        truncated: stdout.truncated || stderr.truncated,
        characters: stdout.originalLength + stderr.originalLength,
        lines: stdout.lines + stderr.lines,
        ...diffOf(difference),
      })),
      ...failureOf(rows),
    };
    return replyOf(data, usable);
  },
});

type Output = z.output<typeof output>;

function diffOf(difference: OutputGroup['difference']): Pick<z.output<typeof outputGroup>, 'diff'> {
  if (difference === undefined) return {};
  const streams = difference.streams.map(({ stream, diff }) => [stream, diff]);
  return { diff: { from: difference.from, ...Object.fromEntries(streams) } };
}

/** The reply, with the outcomes of the containers that were not refused. */
function replyOf(data: Output, usable: readonly ContainerTarget[]): Reply<Output> {
  const vmids = new Set(usable.map(({ vmid }) => vmid));
  const attempted = data.containers.filter(({ vmid }) => vmids.has(vmid));
  return {
    data,
    text: fleetText,
    outcomes: attempted.map(outcomeOf),
    ...(data.error === undefined ? {} : { isError: true }),
  };
}

/** Starts one job in each container; a row for each has its ID, or why it did not start. */
async function startJobs(
  usable: readonly ContainerTarget[],
  request: Input,
  ctx: ToolContext,
): Promise<Reply<Output>> {
  const started = await runPerNode(usable, async (target) => {
    const container = ctx.cluster.container(target.vmid, target.precondition);
    const job = container.startJob(commandFor(request, target.vmid), {
      tool: NAME,
      caller: ctx.caller.name,
      approval: target.precondition?.approvalId ?? null,
      timeoutS: timeoutOf(request),
      outputLimit: ctx.settings.jobOutputLimit,
      signal: ctx.signal,
    });
    return [target.vmid, await jobOrError(job)] as const;
  });
  const jobs = new Map(started);
  const rows = ctx.containers.map(({ vmid, name, refusal }): Row => {
    const base = { vmid, name, exit_code: null };
    const job = refusal ?? jobs.get(vmid);
    if (job instanceof AppError) {
      const status = refusal === null ? 'failed' : 'skipped';
      return { ...base, status, code: job.code, reason: job.message };
    }
    if (job === undefined)
      return { ...base, status: 'not_run', code: 'NOT_RUN', reason: 'The call was cancelled.' };
    return { ...base, status: 'started', job: job.id };
  });
  const data = {
    success: rows.every(({ status }) => status === 'started'),
    containers: rows,
    outputs: [],
    ...failureOf(rows),
  };
  return replyOf(data, usable);
}

/** An AppError is the result of its container and does not end the call. */
async function jobOrError(start: Promise<Job>): Promise<Job | AppError> {
  try {
    return await start;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}
