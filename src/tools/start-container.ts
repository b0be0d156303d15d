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
  output: z.object({ ...lifeCycleOutput, addresses: z.array(z.string()).optional() }),
  async run(input, ctx) {
    const result = await ctx.container.start(ctx.signal);
    const { found = [], isExpected = false } = result.addresses ?? {};
    const state = result.changed
      ? `is running (started in ${formatDuration(result.durationMs)})`
      : 'is already running';
    const data = {
      success: true,
      message: `Container ${input.vmid} ${state}.${isExpected && found.length === 0 ? ' It has no address yet.' : ''}`,
      vmid: input.vmid,
      ...nameOfTarget(ctx),
      changed: result.changed,
      duration_ms: Math.round(result.durationMs),
      ...(found.length === 0 ? {} : { addresses: [...found] }),
    };
    return reply(data, 'json', () => data.message);
  },
});
