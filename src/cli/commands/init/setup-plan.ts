import type { HostEnvironment } from '../../../config/host-environment.ts';
import { pathsOf } from '../../../config/host-environment.ts';
import { type FileChange, readIfThere } from './changes.ts';
import { mergeClientConfig, UnreadableConfig } from './client-config.ts';
import { type ClientApp, type ClientId, clientApps, entryFor, type Launch } from './clients.ts';
import { mergeEnv, type Values } from './env-file.ts';

/** Under this name the assistant's user sees us. */
const SERVER_NAME = 'proxmox';

export interface Wanted {
  readonly values: Values;
  /** Where `.env` goes, and the files of clients that are set up per project. */
  readonly dir: string;
  readonly clients: readonly ClientId[];
  readonly launch: Launch;
}

/** What was wanted as changes of files; those that would change nothing are left out. @throws UnreadableConfig, UnwritableValue */
export async function planChanges(wanted: Wanted, at: HostEnvironment): Promise<readonly FileChange[]> {
  const envFile = envFileIn(wanted.dir, at);
  const before = await readIfThere(envFile);
  const env = { file: envFile, before, after: mergeEnv(before, wanted.values), mode: 0o600, secret: true };
  const apps = clientApps(at, wanted.dir).filter(({ id }) => wanted.clients.includes(id));
  const clients = await Promise.all(apps.map((app) => clientChange(app, wanted.launch, envFile)));
  return [env, ...clients].filter((change) => change.before !== change.after);
}

/** The env file of a directory. */
export function envFileIn(dir: string, at: HostEnvironment): string {
  return pathsOf(at).join(dir, '.env');
}

async function clientChange(app: ClientApp, launch: Launch, envFile: string): Promise<FileChange> {
  const before = await readIfThere(app.file);
  try {
    const after = mergeClientConfig(before, app.section, SERVER_NAME, entryFor(app, launch, envFile));
    return { file: app.file, before, after, mode: 0o644, secret: false };
  } catch (error) {
    if (!(error instanceof UnreadableConfig)) throw error;
    throw new UnreadableConfig(
      `${app.file} cannot be changed: ${error.message}. Correct it, or leave ${app.title} out.`,
    );
  }
}
