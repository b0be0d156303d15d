import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { hasErrno } from '../../lib/errno.ts';
import { splitLines } from './chain.ts';

/** The segments in a directory, sorted by the start of their processes; none if the directory does not exist. */
export async function listSegments(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    // Regular files only: reading a pipe would block, and this program creates no links.
    return entries.flatMap((each) => (each.isFile() && each.name.endsWith('.jsonl') ? each.name : [])).sort();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/**
 * Reads the lines that were added to the segments of a directory since the last call, including new segments. One segment at a
 * time, because a log of a year does not fit into the memory of a small machine.
 */
export class SegmentFollower {
  readonly #dir: string;
  readonly #offsets = new Map<string, number>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  async *next(): AsyncGenerator<readonly string[]> {
    for (const segment of await listSegments(this.#dir)) yield await this.#added(segment);
  }

  async #added(segment: string): Promise<readonly string[]> {
    const from = this.#offsets.get(segment) ?? 0;
    const handle = await open(path.join(this.#dir, segment), 'r').catch(() => undefined);
    if (handle === undefined) return [];
    try {
      const { size } = await handle.stat();
      if (size <= from) return [];
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
      // An incomplete line is read again next time.
      const { lines, rest } = splitLines(buffer.subarray(0, bytesRead));
      this.#offsets.set(segment, from + bytesRead - rest.length);
      return lines.map((line) => line.toString('utf8'));
    } finally {
      await handle.close();
    }
  }
}
