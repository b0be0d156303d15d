import * as z from 'zod';

/** The output of start and stop. */
export const lifeCycleOutput = {
  success: z.boolean(),
  message: z.string(),
  vmid: z.number(),
  name: z.string().optional(),
  changed: z.boolean(),
  duration_ms: z.number(),
};
