import * as z from 'zod';
import { table } from '../lib/columns.ts';
import { formatDuration } from '../lib/duration.ts';
import type { Job } from '../proxmox/jobs/job-types.ts';
import { isOwn, jobData, jobFields } from './shared/job-fields.ts';
import { defineTool } from './tool.ts';

const { survivors: _, ...fields } = jobFields;
const item = z.object({ ...fields, command: z.string(), started: z.string() });

export const listJobs = defineTool({
  name: 'proxmox_list_jobs',
  title: 'List the jobs',
  description: 'List the jobs that this caller has started in the background, until a day after their end.',
  toolset: 'jobs',
  effect: 'read',
  input: z.strictObject({}),
  output: z.object({ jobs: z.array(item), unreachable: z.array(z.string()).optional() }),
  async run(_input, ctx) {
    const { jobs, unreachable } = await ctx.cluster.jobs.list(ctx.signal);
    const own = jobs.filter((job) => isOwn(job, ctx));
    const missing = unreachable.length === 0 ? {} : { unreachable: [...unreachable] };
    return { data: { jobs: own.map(toItem), ...missing }, text: listText };
  },
});

type Item = z.output<typeof item>;

function toItem(job: Job): Item {
  const { survivors: _, ...data } = jobData(job);
  return { ...data, command: job.command, started: new Date(job.startedAt).toISOString() };
}

function listText({
  jobs,
  unreachable,
}: {
  jobs: readonly Item[];
  unreachable?: string[] | undefined;
}): string {
  if (unreachable === undefined) return jobTable(jobs);
  return `${jobTable(jobs)}\nNot reachable, so its jobs are missing: ${unreachable.join(', ')}`;
}

/** Characters of a command in a table. */
const SHOWN_COMMAND = 60;

export function jobTable(jobs: readonly Item[]): string {
  if (jobs.length === 0) return 'There are no jobs.';
  const rows = jobs.map((job) => [
    job.job,
    job.state === 'running'
      ? 'running'
      : job.exit_code === null
        ? (job.ended ?? 'ended')
        : `exit ${job.exit_code}`,
    job.duration_ms === null ? '-' : formatDuration(job.duration_ms),
    job.target,
    String(job.stdout_bytes + job.stderr_bytes),
    shortened(job.command),
  ]);
  return table([['JOB', 'STATE', 'TIME', 'TARGET', 'BYTES', 'COMMAND'], ...rows]);
}

function shortened(command: string): string {
  const line = command.replaceAll(/\s+/g, ' ').trim();
  return line.length > SHOWN_COMMAND ? `${line.slice(0, SHOWN_COMMAND)}…` : line;
}
