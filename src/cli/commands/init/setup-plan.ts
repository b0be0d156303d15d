import { type FileChange, FileFailure, readIfThere } from './changes.ts';
import { mergeClientConfig, readClientEntry, UnreadableConfig } from './client-config.ts';
import { type ClientApp, entryFor, SERVER_NAME } from './clients.ts';
import { mergeTomlConfig, readTomlEntry } from './codex-config.ts';
import { mergeEnv, type Values } from './env-file.ts';
import type { Launch } from './launch.ts';

export interface Wanted {
  readonly values: Values;
  /** Absolute path of the configuration file to write. */
  readonly configFile: string;
  readonly clients: readonly ClientApp[];
  readonly launch: Launch;
}

/** A change of a client's file: the entry of one server. */
export interface EntryChange extends FileChange {
  readonly app: ClientApp;
  /** The previous entry, if any. */
  readonly previous: unknown;
}

export interface PlannedChanges {
  readonly settings: FileChange;
  readonly entries: readonly EntryChange[];
}

/** The file changes of a set-up. @throws UnreadableConfig, UnwritableValue */
export async function planChanges({ values, configFile, clients, launch }: Wanted): Promise<PlannedChanges> {
  const before = await readIfThere(configFile);
  const after = mergeEnv(before, values);
  return {
    settings: { file: configFile, before, after, mode: 0o600, secret: true },
    entries: await Promise.all(clients.map((app) => entryChange(app, launch, configFile))),
  };
}

/** The changes that have an effect, settings first. */
export function effective({ settings, entries }: PlannedChanges): readonly FileChange[] {
  return [settings, ...entries].filter(({ before, after }) => before !== after);
}

async function entryChange(app: ClientApp, launch: Launch, configFile: string): Promise<EntryChange> {
  const entry = entryFor(app, launch, configFile);
  try {
    const before = await readIfThere(app.file);
    const after =
      app.format === 'toml'
        ? mergeTomlConfig(before, app.section, SERVER_NAME, entry)
        : mergeClientConfig(before, app.section, SERVER_NAME, entry);
    const readEntry = app.format === 'toml' ? readTomlEntry : readClientEntry;
    const previous =
      before === undefined || before.trim() === '' ? undefined : readEntry(before, app.section, SERVER_NAME);
    return { app, previous, file: app.file, before, after, mode: 0o600, secret: false };
  } catch (error) {
    const advice = `Correct the file, or do not select ${app.title}.`;
    if (error instanceof FileFailure) throw new UnreadableConfig(`${error.message}. ${advice}`);
    if (!(error instanceof UnreadableConfig)) throw error;
    throw new UnreadableConfig(`${app.file} cannot be changed: ${error.message}. ${advice}`);
  }
}
