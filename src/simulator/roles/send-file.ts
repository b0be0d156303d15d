import { createHash } from 'node:crypto';
import { Access } from '../files/access.ts';
import type { Inode } from '../files/inode.ts';
import { Dialog, Refusal, refusing } from './dialog.ts';
import { type Start, untilDeath } from './start.ts';

const CHUNK_BYTES = 64 * 1024;

/**
 * Sends a file on stdout: $1 nonce, $2 path, $3 the most bytes that are allowed. Says "ready SIZE MODE LENGTH" and the path
 * with links resolved, then the content, then "done SHA256" of what it reads once more.
 */
export function sendFile(start: Start, args: readonly string[]): Promise<number> {
  const [nonce = '', path = '', limit = '0'] = args;
  const { files } = start.machine;
  const dialog = new Dialog(start, nonce);
  return untilDeath(
    start.process,
    dialog.run(async () => {
      dialog.requireTools();
      const inode = files.find(path);
      if (!inode) throw new Refusal('SOURCE_NOT_FOUND', path);
      const real = files.find(path, false)?.kind === 'link' ? files.resolve(path) : path;
      check(inode, real, Number(limit), new Access(files, start.uid));
      if (inode.kind !== 'file') return 0;
      const size = inode.content.length;
      await dialog.say(`ready ${size} ${(inode.mode & 0o7777).toString(8)} ${Buffer.byteLength(real)}`);
      await start.streams.stdout.write(real);
      for (let at = 0; at < size; at += CHUNK_BYTES) {
        await dialog.unfrozen();
        if (!start.process.alive) return 137;
        // As it is by now: it may have been cut, or changed in place.
        const piece = inode.content.subarray(at, Math.min(at + CHUNK_BYTES, size));
        if (piece.length === 0) break;
        if (!(await start.streams.stdout.write(piece))) return 141;
      }
      const now = inode.content.subarray(0, size);
      await dialog.say(`done ${createHash('sha256').update(now).digest('hex')}`);
      return 0;
    }),
  );
}

function check(inode: Inode, path: string, limit: number, access: Access): void {
  if (inode.kind === 'directory') throw new Refusal('IS_A_DIRECTORY', path);
  if (inode.kind !== 'generated' && inode.kind !== 'file') throw new Refusal('NOT_A_REGULAR_FILE', path);
  refusing(() => access.requireRead(path), path);
  if (inode.kind === 'generated') throw new Refusal('PSEUDO_FILE', path);
  if (inode.content.length > limit) throw new Refusal('FILE_TOO_LARGE', String(inode.content.length));
}
