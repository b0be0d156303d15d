import * as z from 'zod';
import { jobFields, jobId, jobState, requireOwn } from './shared/job-fields.ts';
import { defineTool } from './tool.ts';

export const cancelJob = defineTool({
  name: 'proxmox_cancel_job',
  title: 'Cancel a job',
  description:
    'Kill a job and all its processes, and verify it. Its output remains. Succeeds if it has already ended.',
  toolset: 'jobs',
  effect: 'write',
  input: z.strictObject({ job: jobId }),
  output: z.object({
    success: z.boolean(),
    message: z.string(),
    job: jobFields.job,
    state: jobFields.state,
    ended: jobFields.ended,
    survivors: jobFields.survivors,
  }),
  async run(input, ctx) {
    const { jobs } = ctx.cluster;
    requireOwn(await jobs.get(input.job, ctx.signal), ctx);
    const job = await jobs.cancel(input.job, ctx.signal);
    const survivors = job.end?.how === 'exit' ? [] : (job.end?.survivors ?? null);
    const success = job.state === 'ended' && survivors?.length === 0;
    const { id, state, end } = job;
    const data = {
      success,
      message: jobState(job),
      job: id,
      state,
      ended: end?.how ?? null,
      survivors: survivors === null ? null : [...survivors],
    };
    return { data, text: ({ message }) => message, isError: !success };
  },
});
