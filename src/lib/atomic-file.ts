import { randomBytes } from 'node:crypto';
// Not node:fs/promises: loading it takes 4 ms of the server's start.
import { constants, promises as fs } from 'node:fs';
import path from 'node:path';
import { hasErrno } from './errno.ts';

/*
 * Not a library: `atomically` and `write-file-atomic` neither sync the directory nor create a file only if it does not exist,
 * and both install signal handlers, which would interfere with the shutdown of this server.
 */

/**
 * Writes or replaces a file. At any time, even after a power failure, the file has either the old or the new content.
 * A symbolic link at `file` is replaced, not followed.
 * @param mode permissions of the file, regardless of the umask
 * @throws errors of the file system; `file` is unchanged then
 */
export async function writeFileAtomically(
  file: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  await withDraft(file, content, mode, (draft) => fs.rename(draft, file));
}

/**
 * Creates a file with content, unless it exists.
 * @returns false if the file exists, even if another process has just created it
 * @throws errors of the file system
 */
export async function createFileAtomically(file: string, content: string, mode: number): Promise<boolean> {
  try {
    await withDraft(file, content, mode, (draft) => linkOrCopy(draft, file));
    return true;
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

async function withDraft(
  file: string,
  content: string | Uint8Array,
  mode: number,
  publish: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = path.join(
    path.dirname(file),
    `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`,
  );
  try {
    const handle = await fs.open(draft, 'wx', mode & 0o700);
    try {
      if ((mode & 0o077) !== 0) await allowOthers(handle, mode);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publish(draft);
  } finally {
    await fs.rm(draft, { force: true });
  }
  await syncDir(path.dirname(file));
}

/** Sets the permissions. Ignores file systems without permissions. */
async function allowOthers(handle: Awaited<ReturnType<typeof fs.open>>, mode: number): Promise<void> {
  await handle.chmod(mode).catch((error: unknown) => {
    if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP')) throw error;
  });
}

/** Links the file to its name, which is atomic. On a file system without hard links, copies it without replacing a file. */
async function linkOrCopy(draft: string, file: string): Promise<void> {
  try {
    await fs.link(draft, file);
  } catch (error) {
    if (!hasErrno(error, 'EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK')) throw error;
    await fs.copyFile(draft, file, constants.COPYFILE_EXCL);
  }
}

/** Syncs the directory, so that the new name survives a power failure. */
async function syncDir(dir: string): Promise<void> {
  try {
    const handle = await fs.open(dir, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    // Windows and some network file systems cannot sync a directory; a directory may be writable and not readable.
    if (!hasErrno(error, 'EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'ENOSYS')) throw error;
  }
}
