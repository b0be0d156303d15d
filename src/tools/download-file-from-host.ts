import * as z from 'zod';
import { reply } from './shared/format.ts';
import { path } from './shared/params.ts';
import { download, downloadInput, transferOutput } from './shared/transfer.ts';
import { defineHostTool } from './tool.ts';

export const downloadFileFromHost = defineHostTool({
  name: 'proxmox_download_file_from_host',
  title: 'Download a file from the Proxmox host',
  description:
    'Copy one file from the Proxmox host to the machine this server runs on, verified by SHA-256. Requires ENABLE_HOST_EXEC=true.',
  toolset: 'core',
  effect: 'write',
  input: z.strictObject({ host_path: path('Absolute path on the host'), ...downloadInput }),
  output: z.object({ ...transferOutput, host_path: z.string() }),
  async run(input, ctx) {
    const { remotePath, ...result } = await download(ctx.host, input.host_path, input, ctx);
    return reply({ ...result, host_path: remotePath }, 'json', (data) => data.message);
  },
});
