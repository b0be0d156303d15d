import { createHash } from 'node:crypto';
import { chmod, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { configDir } from '../../../config/config-file.ts';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import { makeDirectories } from '../../../lib/make-directories.ts';
import { readIfThere } from './changes.ts';

const step = z.discriminatedUnion('kind', [
  /** The configuration file; `backup`: the previous file. */
  z.object({ kind: z.literal('settings'), file: z.string(), backup: z.string().optional() }),
  /**
   * The entry of the server in a client's file. `previous`: the previous entry, `backup`: the previous file, `written`: the
   * SHA-256 of the file as written.
   */
  z.object({
    kind: z.literal('entry'),
    title: z.string(),
    file: z.string(),
    format: z.enum(['json', 'toml']),
    section: z.string(),
    previous: z.unknown().optional(),
    written: z.string(),
    backup: z.string().optional(),
  }),
  z.object({ kind: z.literal('host-key'), file: z.string(), line: z.string() }),
  /** A key pair that was created; `installedFor`: the login to which its public key was added. */
  z.object({
    kind: z.literal('key'),
    file: z.string(),
    installedFor: z.string(),
  }),
  z.object({ kind: z.literal('directory'), dir: z.string() }),
]);

const journal = z.object({ version: z.literal(1), steps: z.array(step) });

/** One thing that `init` wrote. */
export type Step = z.output<typeof step>;

/** The journal: the list of what `init` wrote, for `init --undo`. */
export function journalFile(at: HostEnvironment): string {
  return path.join(configDir(at), 'init.json');
}

/** The steps of all runs of `init`, oldest first; undefined: the journal is damaged. */
export async function readJournal(at: HostEnvironment): Promise<readonly Step[] | undefined> {
  const text = await readIfThere(journalFile(at));
  if (text === undefined) return [];
  try {
    return journal.parse(JSON.parse(text)).steps;
  } catch {
    return undefined;
  }
}

/** Appends steps to the journal. */
export async function appendJournal(steps: readonly Step[], at: HostEnvironment): Promise<void> {
  const file = journalFile(at);
  await makeDirectories(path.dirname(file), 0o700);
  const all = [...((await readJournal(at)) ?? []), ...steps];
  await writeFile(file, `${JSON.stringify({ version: 1, steps: all }, null, 2)}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
}

export async function removeJournal(at: HostEnvironment): Promise<void> {
  await rm(journalFile(at), { force: true });
}

/** The SHA-256 of a file's text, for the journal. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
