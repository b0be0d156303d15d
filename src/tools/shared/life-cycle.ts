import * as z from 'zod';

/** What start and stop report. */
export const lifeCycleOutput = {
  success: z.boolean(),
  message: z.string(),
  vmid: z.number(),
  changed: z.boolean(),
  duration_ms: z.number(),
};
