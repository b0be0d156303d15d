import * as z from 'zod';
import type { ExecTarget, TransferResult } from '../../proxmox/proxmox-types.ts';
import type { ToolContext } from '../tool.ts';
import { formatBytes, inOneLine } from './format.ts';
import { flag, group, owner, path, permissions } from './params.ts';

const localPath = path('Path on the server machine, inside TRANSFER_DIRS');
const overwrite = flag('Replace an existing file');

/** The parameters of every download, except the remote path. */
export const downloadInput = { local_path: localPath, overwrite };

/** The parameters of every upload, except the remote path. */
export const uploadInput = { permissions, owner, group, overwrite };
export const uploadSource = { local_path: localPath };

/** The output of every transfer, except the remote path. */
export const transferOutput = {
  success: z.boolean(),
  message: z.string(),
  local_path: z.string(),
  permissions: z.string(),
  bytes_transferred: z.number(),
  sha256: z.string(),
  overwritten: z.boolean(),
};

interface DownloadRequest {
  readonly local_path: string;
  readonly overwrite: boolean;
}

interface UploadRequest extends DownloadRequest {
  readonly permissions?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

export async function download(
  place: ExecTarget,
  remotePath: string,
  request: DownloadRequest,
  ctx: ToolContext,
) {
  const result = await place.download({
    remotePath,
    localPath: request.local_path,
    overwrite: request.overwrite,
    signal: ctx.signal,
    onProgress: transferProgress(ctx),
  });
  const size = formatBytes(result.bytes);
  return transferred(result, `Downloaded ${size} from ${place.label} to ${inOneLine(result.localPath)}`);
}

export async function upload(
  place: ExecTarget,
  remotePath: string,
  request: UploadRequest,
  ctx: ToolContext,
) {
  const result = await place.upload({
    localPath: request.local_path,
    remotePath,
    overwrite: request.overwrite,
    ...(request.permissions === undefined ? {} : { permissions: request.permissions }),
    ...(request.owner === undefined ? {} : { owner: request.owner }),
    ...(request.group === undefined ? {} : { group: request.group }),
    signal: ctx.signal,
    onProgress: transferProgress(ctx),
  });
  const size = formatBytes(result.bytes);
  return transferred(result, `Uploaded ${size} to ${inOneLine(result.remotePath)} in ${place.label}`);
}

function transferred(result: TransferResult, done: string) {
  return {
    success: true,
    message: `${done}. Verified by SHA-256.`,
    remotePath: result.remotePath,
    local_path: result.localPath,
    permissions: result.permissions,
    bytes_transferred: result.bytes,
    sha256: result.sha256,
    overwritten: result.overwritten,
  };
}

function transferProgress(ctx: ToolContext) {
  return (done: number, total: number) =>
    ctx.progress(`${formatBytes(done)} of ${formatBytes(total)}`, done, total);
}
