import * as z from 'zod';
import { runCommand } from './shared/exec-call.ts';
import { execInput, execOutput } from './shared/exec-schema.ts';
import { changingInput, requireBackground, withTimeout } from './shared/params.ts';
import { defineContainerTool, nameOfTarget } from './tool.ts';

export const containerExecCommand = defineContainerTool({
  name: 'proxmox_container_exec_command',
  title: 'Run a command in a container',
  description:
    'Run a shell command as root in a running LXC container; returns stdout, stderr and the exit code. ' +
    'Use it for everything inside a container: logs, packages, services, files. ' +
    'A non-zero exit code is a normal result. Each call is a new shell: no state is kept and stdin is empty, so pass flags like -y. ' +
    'Long output is cut in the middle. On timeout the command and its children are killed. ' +
    'For upgrades and builds set `background`, then read the job with proxmox_get_job.',
  toolset: 'core',
  effect: 'exec',
  input: changingInput(execInput).superRefine(requireBackground).overwrite(withTimeout),
  output: execOutput.extend({ vmid: z.number(), name: z.string().optional() }),
  async run(input, ctx) {
    const { data, ...reply } = await runCommand(ctx.container, 'proxmox_container_exec_command', input, ctx);
    return { ...reply, data: { ...data, vmid: input.vmid, ...nameOfTarget(ctx) } };
  },
});
