import * as z from 'zod';
import { execInput, execOutput, runCommand } from './shared/exec.ts';
import { changingInput } from './shared/params.ts';
import { defineContainerTool, nameOfTarget } from './tool.ts';

export const containerExecCommand = defineContainerTool({
  name: 'proxmox_container_exec_command',
  title: 'Run a command in a container',
  description:
    'Run a shell command as root in a running LXC container; returns stdout, stderr and the exit code. ' +
    'Use it for everything inside a container: logs, packages, services, files. ' +
    'A non-zero exit code is a normal result. Each call is a new shell: no state is kept and stdin is empty, so pass flags like -y. ' +
    'Long output is cut in the middle. On timeout the command and its children are killed; for longer jobs run ' +
    '`CMD >/tmp/out 2>&1 </dev/null &`, then read /tmp/out.',
  toolset: 'core',
  effect: 'exec',
  input: changingInput(execInput),
  output: execOutput.extend({ vmid: z.number(), name: z.string().optional() }),
  async run(input, ctx) {
    const { data, ...reply } = await runCommand(ctx.container, input, ctx);
    return { ...reply, data: { ...data, vmid: input.vmid, ...nameOfTarget(ctx) } };
  },
});
