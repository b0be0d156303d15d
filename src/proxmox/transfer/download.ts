import { SCRIPTS } from '../../remote/scripts/index.ts';
import type { AttachTarget } from '../../remote/session-requests.ts';
import type { DownloadOptions, TransferResult } from '../proxmox-types.ts';
import { LocalPart } from './partial-file.ts';
import { checkRemotePath, fileChanged, fileShrank } from './transfer-errors.ts';
import { type TransferDeps, TransferSession } from './transfer-session.ts';

/**
 * Downloads a file, verified and atomically (see download.sh). Nothing is written locally before the remote side has confirmed
 * that the file exists, and never more than `maxFileSize`.
 * @throws AppError, after which the local file has its old content; CommandNotStarted if the script did not run
 */
export async function download(
  deps: TransferDeps,
  target: AttachTarget,
  options: DownloadOptions,
): Promise<TransferResult> {
  checkRemotePath(options.remotePath);
  const destination = await deps.dirs.findDestination(options.localPath, options.overwrite);
  const args = [options.remotePath, String(deps.maxFileSize)];
  const session = await TransferSession.open(deps, target, {
    script: SCRIPTS.download,
    args,
    signal: options.signal,
  });
  let part: LocalPart | undefined;
  try {
    const [sizeField, mode] = await session.expect('ready');
    const size = session.number(sizeField, deps.maxFileSize);
    const remotePath = await session.path();
    part = await LocalPart.create(destination);
    await receive(session, part, size, options);
    session.digesting(size);
    // The local copy is hashed while the remote side hashes its file, which takes no extra time.
    const [sha256, [remoteSha]] = await session.guard(
      Promise.all([
        part.digest(size, () => session.touch()),
        // If the file shrank, the script's last line appears in place of bytes of the file.
        session.expect('done', fileShrank(remotePath)),
      ]),
    );
    if (remoteSha !== sha256) throw fileChanged(remotePath);
    const permissions = await part.publish(options.overwrite, mode);
    session.finish();
    return {
      bytes: size,
      sha256,
      localPath: destination.path,
      remotePath,
      permissions,
      overwritten: destination.existing !== undefined,
    };
  } catch (error) {
    await Promise.all([part?.discard(), session.abandon()]);
    throw error;
  }
}

async function receive(
  session: TransferSession,
  part: LocalPart,
  size: number,
  options: DownloadOptions,
): Promise<void> {
  let done = 0;
  const { announced, received } = await session.data(size, async (chunk) => {
    await part.write(chunk);
    done += chunk.length;
    session.touch();
    options.onProgress?.(done, size);
  });
  session.same(announced, size);
  if (received < size) await session.expect('done', fileShrank(options.remotePath)); // throws
}
