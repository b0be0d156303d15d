import * as z from 'zod';
import { reply } from './shared/format.ts';
import { path } from './shared/params.ts';
import { transferOutput, upload, uploadInput, uploadSource } from './shared/transfer.ts';
import { defineHostTool } from './tool.ts';

export const uploadFileToHost = defineHostTool({
  name: 'proxmox_upload_file_to_host',
  title: 'Upload a file to the Proxmox host',
  description:
    'Copy one file from the machine this server runs on to the Proxmox host, verified by SHA-256. ' +
    'The target directory must exist. Requires ENABLE_HOST_EXEC=true.',
  toolset: 'core',
  effect: 'write',
  sends: 'local_path',
  input: z.strictObject({ ...uploadSource, host_path: path('Absolute path on the host'), ...uploadInput }),
  output: z.object({ ...transferOutput, host_path: z.string() }),
  async run(input, ctx) {
    const { remotePath, ...result } = await upload(ctx.host, input.host_path, input, ctx);
    return reply({ ...result, host_path: remotePath }, 'json', (data) => data.message);
  },
});
