import * as z from 'zod';
import { reply } from './shared/format.ts';
import { changingInput, path } from './shared/params.ts';
import { transferOutput, upload, uploadInput, uploadSource } from './shared/transfer.ts';
import { defineContainerTool, nameOfTarget } from './tool.ts';

export const uploadFileToContainer = defineContainerTool({
  name: 'proxmox_upload_file_to_container',
  title: 'Upload a file to a container',
  description:
    'Copy one file from the machine this server runs on into a running LXC container, verified by SHA-256. ' +
    'The target directory must exist (mkdir -p). The file appears complete or not at all.',
  toolset: 'core',
  effect: 'write',
  sends: 'local_path',
  input: changingInput({
    ...uploadSource,
    container_path: path('Absolute path in the container'),
    ...uploadInput,
  }),
  output: z.object({
    ...transferOutput,
    vmid: z.number(),
    name: z.string().optional(),
    container_path: z.string(),
  }),
  async run(input, ctx) {
    const { remotePath, ...result } = await upload(ctx.container, input.container_path, input, ctx);
    const data = { ...result, vmid: input.vmid, ...nameOfTarget(ctx), container_path: remotePath };
    return reply(data, 'json', ({ message }) => message);
  },
});
