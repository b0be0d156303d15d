import type { App } from '../../../app.ts';
import { LOCAL_CALLER } from '../../../lib/caller.ts';
import { table } from '../../../lib/columns.ts';
import { formatDuration } from '../../../lib/duration.ts';
import { errorText } from '../../../lib/error-text.ts';
import { AppError, nextStep } from '../../../lib/errors.ts';
import { visible } from '../../../lib/visible.ts';
import type { Job } from '../../../proxmox/jobs/job-types.ts';
import { jobData, jobNotes, jobState, jobTarget } from '../../../tools/shared/job-fields.ts';
import type { Request } from '../../command.ts';
import { appFor } from '../../open-app.ts';
import { print, printError, proseWidth, wrapLines } from '../../output/output.ts';
import { reportUsageError, UsageError } from '../../usage-error.ts';

const CLOSE_MS = 1_000;

/** `proxmox-mcp jobs [list] | show ID | cancel ID`: the jobs of all callers, for the operator. Exit code 0, 1 or 2. */
export async function jobs({ input, args, options }: Request): Promise<void> {
  const [action = 'list', id, ...more] = args;
  try {
    if (!['list', 'show', 'cancel'].includes(action))
      throw new UsageError(`jobs needs list, show ID or cancel ID, not '${action.slice(0, 60)}'`);
    if ((action === 'list') !== (id === undefined) || more.length > 0) {
      throw new UsageError(action === 'list' ? 'jobs list takes no argument' : `jobs ${action} needs one ID`);
    }
    const app = await appFor({ ...input, fallbacks: { logLevel: 'warn' } });
    if (app === undefined) return;
    try {
      await perform(app, action, id ?? '', options.json === 'true');
    } finally {
      await app.close(CLOSE_MS);
    }
  } catch (error) {
    if (!(error instanceof AppError)) return reportUsageError(error, 'jobs');
    await printFailure(error, options.json === 'true');
    process.exitCode = 1;
  }
}

/** Prints a failure as `proxmox-mcp call` does: as text on stderr, or as JSON on stdout. */
async function printFailure(error: AppError, json: boolean): Promise<void> {
  const { code, message } = error;
  const next =
    code === 'JOB_NOT_FOUND' ? 'List the jobs with `proxmox-mcp jobs`.' : nextStep(error, 'person');
  if (json) return print(asJson({ success: false, error: message, code, suggestion: next }));
  await printError(`${wrapLines(errorText(code, message, next), proseWidth(process.stderr))}\n`);
}

async function perform(app: App, action: string, id: string, json: boolean): Promise<void> {
  const handle = (await app.cluster()).jobs;
  const { signal } = new AbortController();
  if (action === 'list') {
    const { jobs: all, unreachable } = await handle.list(signal);
    for (const node of unreachable)
      await printError(`Node ${node} cannot be reached: its jobs are missing.\n`);
    return print(json ? asJson(all.map((job) => toItem(job, app))) : listText(all, app));
  }
  if (action === 'cancel') {
    const job = await cancelLogged(app, id, signal);
    if (job.state !== 'ended') process.exitCode = 1;
    return print(json ? asJson(toItem(job, app)) : `${jobState(job)}\n`);
  }
  const capture = await handle.capture(id, { characterLimit: app.config.characterLimit, signal });
  const { job, stdout, stderr } = capture;
  if (json) {
    return print(asJson({ ...toItem(job, app), stdout: stdout.text, stderr: stderr.text }));
  }
  await print(stdout.text);
  if (stderr.text !== '') process.stderr.write(stderr.text);
  process.stderr.write(`${[jobState(job), ...jobNotes(job)].join('\n')}\n`);
}

/** The audit log has the operator's cancellations, too. */
async function cancelLogged(app: App, id: string, signal: AbortSignal): Promise<Job> {
  const handle = (await app.cluster()).jobs;
  const before = await handle.get(id, signal);
  const log = await app.audit();
  const entry = await log.begin({
    caller: LOCAL_CALLER.name,
    tool: 'proxmox_cancel_job',
    effect: 'write',
    vmid: before.vmid,
    guest: null,
    args: { job: id },
    outcome: 'allow',
    rule: 'proxmox-mcp jobs cancel',
    approval: null,
  });
  const startedAt = performance.now();
  let code = 'INTERNAL';
  let survivors: number | null = null;
  try {
    const job = await handle.cancel(id, signal);
    code = 'ok';
    survivors = job.end?.survivors?.length ?? null;
    return job;
  } catch (error) {
    if (error instanceof AppError) code = error.code;
    throw error;
  } finally {
    const durationMs = Math.round(performance.now() - startedAt);
    await entry.end({ code, exitCode: null, bytes: null, resultText: '', durationMs, survivors });
  }
}

function toItem(job: Job, { redactor }: App) {
  return {
    ...jobData(job),
    caller: job.caller,
    tool: job.tool,
    command: redactor.show(job.command),
    started: new Date(job.startedAt).toISOString(),
  };
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

const SHOWN_COMMAND = 60;

function listText(all: readonly Job[], { redactor }: App): string {
  if (all.length === 0) return 'There are no jobs.\n';
  const rows = all.map((job) => [
    job.id,
    job.end === null ? 'running' : job.end.exitCode === null ? job.end.how : `exit ${job.end.exitCode}`,
    job.durationMs === null ? '-' : formatDuration(job.durationMs),
    jobTarget(job),
    visible(job.caller),
    shortened(redactor.show(job.command)),
  ]);
  return `${table([['JOB', 'STATE', 'TIME', 'TARGET', 'CALLER', 'COMMAND'], ...rows])}\n`;
}

function shortened(command: string): string {
  const line = command.replaceAll(/\s+/g, ' ').trim();
  return line.length > SHOWN_COMMAND ? `${line.slice(0, SHOWN_COMMAND)}…` : line;
}
