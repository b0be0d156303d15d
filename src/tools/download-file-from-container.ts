import * as z from 'zod';
import { reply } from './shared/format.ts';
import { containerInput, path } from './shared/params.ts';
import { download, downloadInput, transferOutput } from './shared/transfer.ts';
import { defineContainerTool } from './tool.ts';

export const downloadFileFromContainer = defineContainerTool({
  name: 'proxmox_download_file_from_container',
  title: 'Download a file from a container',
  description:
    'Copy one file from a running LXC container to a local file, verified by hash. ' +
    'Pack a folder with tar first. An existing local file is refused unless overwrite=true. ' +
    'To just read a short file, use proxmox_container_exec_command with cat.',
  effect: 'write',
  input: containerInput({ container_path: path('Absolute'), ...downloadInput }),
  output: z.object({ ...transferOutput, vmid: z.number(), container_path: z.string() }),
  async run(input, ctx) {
    const { remotePath, ...result } = await download(ctx.container, input.container_path, input, ctx);
    return reply({ ...result, vmid: input.vmid, container_path: remotePath }, 'json', (data) => data.message);
  },
});
