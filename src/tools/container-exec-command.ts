import { execInput, execOutput, runCommand } from './shared/exec.ts';
import { changingInput } from './shared/params.ts';
import { defineContainerTool } from './tool.ts';

export const containerExecCommand = defineContainerTool({
  name: 'proxmox_container_exec_command',
  title: 'Run a command in a container',
  description:
    'Run a shell command in a running LXC container; returns stdout, stderr and the exit code. ' +
    'Use this for everything inside a container: logs, packages, services, files. ' +
    'A non-zero exit code is a result, not an error. Stdin is closed, so use -y and the like. ' +
    'On timeout everything it started is killed; start longer work with ' +
    '`CMD >/tmp/out 2>&1 </dev/null &` and read /tmp/out later. ' +
    'Unknown vmid: proxmox_list_containers. Not running: proxmox_start_container.',
  effect: 'exec',
  input: changingInput(execInput),
  output: execOutput,
  run: (input, ctx) => runCommand(ctx.container, input, ctx),
});
