import * as z from 'zod';
import { reply } from './shared/format.ts';
import { containerInput, path } from './shared/params.ts';
import { download, downloadInput, transferOutput } from './shared/transfer.ts';
import { defineContainerTool } from './tool.ts';

export const downloadFileFromContainer = defineContainerTool({
  name: 'proxmox_download_file_from_container',
  title: 'Download a file from a container',
  description:
    'Copy one file from a running LXC container to the machine this server runs on, verified by SHA-256. ' +
    'For a directory, make a tar archive first. To read a short text file, run cat with proxmox_container_exec_command.',
  toolset: 'core',
  effect: 'write',
  input: containerInput({ container_path: path('Absolute path in the container'), ...downloadInput }),
  output: z.object({ ...transferOutput, vmid: z.number(), container_path: z.string() }),
  async run(input, ctx) {
    const { remotePath, ...result } = await download(ctx.container, input.container_path, input, ctx);
    return reply({ ...result, vmid: input.vmid, container_path: remotePath }, 'json', (data) => data.message);
  },
});
