import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { AppError } from '../../lib/errors.ts';
import { localIo } from './local-file-errors.ts';

/** An open local file, limited to its first `size` bytes. */
export interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly size: number;
}

/** Large enough to keep the channel's window full, small enough to show progress. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Reads exactly `size` bytes, one chunk ahead, so that reading and sending overlap.
 * @param reuse two buffers for the chunks: each one is valid until the next is requested
 */
export async function* chunksOf(
  file: OpenFile,
  reuse: readonly Buffer[] = [],
): AsyncGenerator<Buffer, void, undefined> {
  let count = 0;
  const readAhead = (position: number) => {
    const reading = readChunk(file, position, reuse[count++ % 2]);
    reading.catch(() => {}); // it may fail when nothing awaits it
    return reading;
  };
  let position = 0;
  let next = readAhead(0);
  while (position < file.size) {
    const chunk = await next;
    if (chunk.length === 0) {
      throw new AppError(
        'FILE_CHANGED',
        `The local file ${file.path} shrank during the transfer, so the copy was removed.`,
        'The destination was not changed. Call again while no program writes to the file.',
      );
    }
    position += chunk.length;
    next = readAhead(position);
    yield chunk;
  }
}

/** The SHA-256 in hex of the first `size` bytes, as they are read from the file. */
export async function digestOf(file: OpenFile, onChunk: () => void): Promise<string> {
  const hash = createHash('sha256');
  // New buffers for a large file would cause many collections of garbage.
  const length = Math.min(CHUNK_BYTES, file.size);
  const buffers = [Buffer.allocUnsafeSlow(length), Buffer.allocUnsafeSlow(length)];
  for await (const chunk of chunksOf(file, buffers)) {
    hash.update(chunk);
    onChunk();
  }
  return hash.digest('hex');
}

async function readChunk(
  { path, handle, size }: OpenFile,
  position: number,
  reused: Buffer | undefined,
): Promise<Buffer> {
  const length = Math.min(CHUNK_BYTES, size - position);
  const buffer = reused ?? Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position).catch((error: unknown) => {
    throw localIo('read', path, error);
  });
  return buffer.subarray(0, bytesRead);
}
