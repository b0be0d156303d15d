import type { AttachTarget } from '../../remote/command-line.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import type { DownloadOptions, TransferResult } from '../proxmox-types.ts';
import { LocalPart } from './partial-file.ts';
import { checkRemotePath, fileChanged, fileShrank } from './transfer-errors.ts';
import { type TransferDeps, TransferDialog } from './transfer-session.ts';

/**
 * Fetches a file, verified and atomic (see download.sh). Nothing is written locally before the far side
 * has said that it has the file.
 * @throws AppError; the local file then has its old content. DidNotStart where the script never ran.
 */
export async function download(
  deps: TransferDeps,
  entry: AttachTarget,
  options: DownloadOptions,
): Promise<TransferResult> {
  checkRemotePath(options.remotePath);
  const destination = await deps.dirs.findDestination(options.localPath, options.overwrite);
  const args = [options.remotePath, String(deps.maxFileSize)];
  const dialog = await TransferDialog.open(deps, entry, SCRIPTS.download, args, options.signal);
  let part: LocalPart | undefined;
  try {
    const [sizeField, mode, length] = await dialog.expect('ready');
    const size = Number(sizeField);
    const remotePath = (await dialog.guard(dialog.reader.text(Number(length)))) ?? options.remotePath;
    part = await LocalPart.create(destination);
    await receive(dialog, part, size, options);
    dialog.digesting(size);
    // What is on the disk is read back while the far side reads its file once more: that costs no time.
    const [sha256, [remoteSha]] = await dialog.guard(
      Promise.all([
        part.digest(size, () => dialog.touch()),
        // Of a file that shrank, the script's last line stands where bytes of the file should be.
        dialog.expect('done', fileShrank(remotePath)),
      ]),
    );
    if (remoteSha !== sha256) throw fileChanged(remotePath);
    const permissions = await part.publish(options.overwrite, mode);
    dialog.finish();
    return {
      bytes: size,
      sha256,
      localPath: destination.path,
      remotePath,
      permissions,
      overwritten: destination.existing !== undefined,
    };
  } catch (error) {
    await Promise.all([part?.discard(), dialog.abandon()]);
    throw error;
  }
}

async function receive(
  dialog: TransferDialog,
  part: LocalPart,
  size: number,
  options: DownloadOptions,
): Promise<void> {
  let done = 0;
  const got = await dialog.guard(
    dialog.reader.bytes(size, async (chunk) => {
      await part.write(chunk);
      done += chunk.length;
      dialog.touch();
      options.onProgress?.(done, size);
    }),
  );
  if (got < size) await dialog.expect('done', fileShrank(options.remotePath)); // throws, with the reason
}
