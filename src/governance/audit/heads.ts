import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod/v4';
import { writeFileAtomically } from '../../lib/atomic-file.ts';
import { hasErrno } from '../../lib/errno.ts';
import { ensurePrivateDir } from '../../lib/private-files.ts';
import { macOf, seal, unseal } from './chain.ts';

/** Where they were kept at first: beside the segments, where whoever removes one can remove both. */
const FORMER_FILE = 'heads.json';
const HEADS_GENESIS = 'proxmox-mcp audit heads 1';

const headsSchema = z.object({
  /** When they were last remembered. */
  at: z.iso.datetime(),
  segments: z.record(z.string(), z.object({ seq: z.int(), mac: z.string() })),
  /** Segments whose absence the operator has accepted. */
  removed: z.array(z.string()),
});

export type Heads = z.output<typeof headsSchema>;

/** Whose heads: of which record, and where this machine keeps its state. */
export interface HeadsOf {
  /** Of the segments. */
  readonly dir: string;
  readonly stateDir: string;
}

/**
 * Of what the last verification has seen of each segment: beside the key, not beside the segments. Named by the directory
 * of the record, as several may share one key; by its place in the state directory if it is in there, so that both can be
 * moved together.
 */
export function headsFile({ dir, stateDir }: HeadsOf): string {
  const inside = path.relative(stateDir, dir);
  const isInside = !inside.startsWith('..') && !path.isAbsolute(inside);
  const id = createHash('sha256')
    .update(isInside ? inside : path.resolve(dir))
    .digest('hex');
  return path.join(stateDir, `audit-heads-${id.slice(0, 16)}.json`);
}

/** @returns undefined when none were remembered yet, 'damaged' when they are not what we have written */
export async function readHeads(of: HeadsOf, key: Uint8Array): Promise<Heads | 'damaged' | undefined> {
  const line = (await readIfThere(headsFile(of))) ?? (await readIfThere(path.join(of.dir, FORMER_FILE)));
  if (line === undefined) return undefined;
  const sealed = unseal(line.subarray(0, -1));
  if (sealed === undefined || macOf(sealed.body, HEADS_GENESIS, key) !== sealed.mac) return 'damaged';
  const parsed = headsSchema.safeParse(JSON.parse(sealed.body.toString('utf8')));
  return parsed.success ? parsed.data : 'damaged';
}

/** In one step: whoever reads finds the old ones or the new ones. */
export async function writeHeads(of: HeadsOf, heads: Heads, key: Uint8Array): Promise<void> {
  const file = headsFile(of);
  await ensurePrivateDir(of.stateDir);
  await writeFileAtomically(file, seal(JSON.stringify(heads), HEADS_GENESIS, key).line, 0o600);
  // Should it stay, it is not read any more.
  await rm(path.join(of.dir, FORMER_FILE), { force: true }).catch(() => {});
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
