import * as z from 'zod';
import { runCommand } from './shared/exec-call.ts';
import { execInput, execOutput } from './shared/exec-schema.ts';
import { requireBackground, withTimeout } from './shared/params.ts';
import { defineHostTool } from './tool.ts';

export const hostExecCommand = defineHostTool({
  name: 'proxmox_host_exec_command',
  title: 'Run a command on the Proxmox host',
  description:
    'Run a shell command on the Proxmox host itself (pct, qm, pvesh, zpool, systemctl). ' +
    'It can affect every guest: inspect before you change anything, and use proxmox_container_exec_command for work inside a container. ' +
    'Requires ENABLE_HOST_EXEC=true.',
  toolset: 'core',
  effect: 'exec',
  input: z.strictObject(execInput).superRefine(requireBackground).overwrite(withTimeout),
  output: execOutput,
  run: (input, ctx) => runCommand(ctx.host, 'proxmox_host_exec_command', input, ctx),
});
