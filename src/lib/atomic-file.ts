import { randomBytes } from 'node:crypto';
// Not node:fs/promises: the start of every server would load it, which takes 4 ms.
import { constants, promises as fs } from 'node:fs';
import path from 'node:path';
import { hasErrno } from './errno.ts';

/*
 * Not a library: `atomically` and `write-file-atomic` neither sync the directory nor create a file only if there is none,
 * and both install handlers for signals, which a server that ends its calls before it exits cannot have.
 */

/**
 * Writes or replaces a whole file. At any time, also after a power failure, the file is either the old one or the new one. A
 * symbolic link at `file` is replaced, not followed.
 * @param mode permissions of the file, regardless of the umask
 * @throws the error of the file system; `file` is then unchanged
 */
export async function writeFileAtomically(
  file: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  await withDraft(file, content, mode, (draft) => fs.rename(draft, file));
}

/**
 * Writes a whole file unless it exists.
 * @returns false if it exists, also if another process created it meanwhile
 * @throws the error of the file system
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

/** Ignores file systems without permissions. */
async function allowOthers(handle: Awaited<ReturnType<typeof fs.open>>, mode: number): Promise<void> {
  await handle.chmod(mode).catch((error: unknown) => {
    if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP')) throw error;
  });
}

/** A hard link appears atomically. On a file system without links, a copy that replaces nothing is the best alternative. */
async function linkOrCopy(draft: string, file: string): Promise<void> {
  try {
    await fs.link(draft, file);
  } catch (error) {
    if (!hasErrno(error, 'EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK')) throw error;
    await fs.copyFile(draft, file, constants.COPYFILE_EXCL);
  }
}

/** Without this, the new directory entry could be lost in a power failure. */
async function syncDir(dir: string): Promise<void> {
  try {
    const handle = await fs.open(dir, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    // Windows and some network file systems cannot sync a directory, and a directory can be writable but not readable.
    if (!hasErrno(error, 'EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'ENOSYS')) throw error;
  }
}
