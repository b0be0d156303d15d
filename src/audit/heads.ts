import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod/v4';
import { macOf, seal, unseal } from './chain.ts';

/** Beside the segments; what the last verification has seen of each. */
export const HEADS_FILE = 'heads.json';
const HEADS_GENESIS = 'proxmox-mcp audit heads 1';

const headsSchema = z.object({
  /** When they were last remembered. */
  at: z.iso.datetime(),
  segments: z.record(z.string(), z.object({ seq: z.int(), mac: z.string() })),
  /** Segments whose absence the operator has accepted. */
  removed: z.array(z.string()),
});

export type Heads = z.output<typeof headsSchema>;

/** @returns undefined when none were remembered yet, 'damaged' when they are not what we have written */
export async function readHeads(dir: string, key: Uint8Array): Promise<Heads | 'damaged' | undefined> {
  let line: Buffer;
  try {
    line = await readFile(path.join(dir, HEADS_FILE));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const sealed = unseal(line.subarray(0, -1));
  if (sealed === undefined || macOf(sealed.body, HEADS_GENESIS, key) !== sealed.mac) return 'damaged';
  const parsed = headsSchema.safeParse(JSON.parse(sealed.body.toString('utf8')));
  return parsed.success ? parsed.data : 'damaged';
}

/** In one step: whoever reads finds the old ones or the new ones. */
export async function writeHeads(dir: string, heads: Heads, key: Uint8Array): Promise<void> {
  const file = path.join(dir, HEADS_FILE);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(seal(JSON.stringify(heads), HEADS_GENESIS, key).line);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}
