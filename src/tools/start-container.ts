import * as z from 'zod';
import { formatDuration } from '../lib/duration.ts';
import { reply } from './shared/format.ts';
import { lifeCycleOutput } from './shared/life-cycle.ts';
import { changingInput } from './shared/params.ts';
import { defineContainerTool, nameOfTarget } from './tool.ts';

export const startContainer = defineContainerTool({
  name: 'proxmox_start_container',
  title: 'Start a container',
  description:
    'Start an LXC container and wait until it is running. Succeeds if it is already running. ' +
    'If a backup or migration has locked it, wait and retry.',
  toolset: 'core',
  effect: 'write',
  input: changingInput({}),
  output: z.object(lifeCycleOutput),
  async run(input, ctx) {
    const result = await ctx.container.start(ctx.signal);
    const data = {
      success: true,
      message: result.changed
        ? `Container ${input.vmid} is running (started in ${formatDuration(result.durationMs)}).`
        : `Container ${input.vmid} is already running.`,
      vmid: input.vmid,
      ...nameOfTarget(ctx),
      changed: result.changed,
      duration_ms: Math.round(result.durationMs),
    };
    return reply(data, 'json', () => data.message);
  },
});
