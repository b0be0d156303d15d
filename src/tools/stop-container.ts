import * as z from 'zod';
import { formatDuration } from '../lib/duration.ts';
import type { LifeCycleResult } from '../proxmox/proxmox-types.ts';
import { reply } from './shared/format.ts';
import { lifeCycleOutput } from './shared/life-cycle.ts';
import { changingInput, flag, seconds } from './shared/params.ts';
import { defineContainerTool, nameOfTarget } from './tool.ts';

export const stopContainer = defineContainerTool({
  name: 'proxmox_stop_container',
  title: 'Stop a container',
  description:
    'Stop an LXC container: shut it down cleanly, kill it if it still runs after `timeout` seconds. ' +
    'Its services stay down until you start it again. Succeeds if it is already stopped.',
  toolset: 'core',
  effect: 'destroy',
  input: changingInput({
    timeout: seconds(10, 'Seconds until the kill; longer for databases'),
    force: flag('Kill immediately; may lose data'),
  }),
  output: z.object({ ...lifeCycleOutput, how: z.enum(['shutdown', 'killed']).optional() }),
  async run(input, ctx) {
    const { vmid, timeout, force } = input;
    const result = await ctx.container.stop({ timeoutS: timeout, force, signal: ctx.signal });
    const data = {
      success: true,
      message: `Container ${vmid} ${howItStopped(result, force, timeout)}.`,
      vmid,
      ...nameOfTarget(ctx),
      changed: result.changed,
      duration_ms: Math.round(result.durationMs),
      ...(result.how === undefined ? {} : { how: result.how }),
    };
    return reply(data, 'json', () => data.message);
  },
});

function howItStopped(result: LifeCycleResult, force: boolean, timeoutS: number): string {
  if (!result.changed) return 'is already stopped';
  const time = formatDuration(result.durationMs);
  if (result.how !== 'killed') return `has shut down cleanly (${time})`;
  return force
    ? `was killed, as requested with force (${time})`
    : `did not shut down within its timeout of ${timeoutS} s and was killed (${time})`;
}
