import { readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { configDir } from '../../../config/config-file.ts';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import { loadConfig } from '../../../config/load.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { messageOf } from '../../../lib/errors.ts';
import { RemoteShell } from '../../../remote/remote-shell.ts';
import { connectOnce } from '../doctor/session-check.ts';
import { readIfThere } from './changes.ts';
import { mergeClientConfig, removeClientEntry } from './client-config.ts';
import { SERVER_NAME } from './clients.ts';
import { mergeTomlConfig } from './codex-config.ts';
import { digestOf, readJournal, removeJournal, type Step } from './init-journal.ts';
import { removeLine } from './pin-host-key.ts';
import { removeKey } from './remote-key.ts';

const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The result of one step of `init --undo`. */
export interface Undone {
  readonly ok: boolean;
  readonly text: string;
}

/**
 * Undoes everything that `init` wrote, newest first. Later changes by others are kept: only our entries and lines are removed.
 * @returns the result of each step; undefined if there is no journal
 */
export async function undoAll(
  at: HostEnvironment,
  signal: AbortSignal,
): Promise<readonly Undone[] | undefined> {
  const steps = await readJournal(at);
  if (steps === undefined || steps.length === 0) return undefined;
  const undone: Undone[] = [];
  // Keys first: removing a key from the node needs the settings.
  for (const kind of ['key', 'other'] as const) {
    for (const step of [...steps].reverse().filter((each) => (each.kind === 'key') === (kind === 'key'))) {
      try {
        undone.push({ ok: true, text: await undoStep(step, at, steps, signal) });
      } catch (error) {
        undone.push({ ok: false, text: `${nameOf(step)}: ${messageOf(error)}` });
      }
    }
  }
  if (undone.every(({ ok }) => ok)) await removeJournal(at);
  await rmdir(configDir(at)).catch(() => {});
  return undone;
}

async function undoStep(
  step: Step,
  at: HostEnvironment,
  all: readonly Step[],
  signal: AbortSignal,
): Promise<string> {
  switch (step.kind) {
    case 'key':
      return undoKey(step, at, all, signal);
    case 'host-key':
      await removeLine(step.file, step.line);
      return `host key removed from ${step.file}`;
    case 'directory':
      return rmdir(step.dir).then(
        () => `${step.dir} removed`,
        () => `${step.dir} kept: it is not empty or does not exist`,
      );
    case 'settings': {
      if (step.backup === undefined) {
        await rm(step.file, { force: true });
        return `${step.file} removed`;
      }
      await writeFile(step.file, await readFile(step.backup), { mode: 0o600 });
      await rm(step.backup, { force: true });
      return `${step.file} restored`;
    }
    case 'entry': {
      await undoEntry(step);
      if (step.backup !== undefined) await rm(step.backup, { force: true });
      return `${step.title}: entry "${SERVER_NAME}" removed from ${step.file}`;
    }
  }
}

async function undoEntry({
  file,
  format,
  section,
  previous,
  written,
  backup,
}: Step & { kind: 'entry' }): Promise<void> {
  const before = await readIfThere(file);
  if (before === undefined) return;
  if (digestOf(before) === written) {
    if (backup === undefined) await rm(file, { force: true });
    else await writeFile(file, await readFile(backup));
    return;
  }
  // The file has changed since then: remove only the entry.
  const entry = typeof previous === 'object' && previous !== null ? previous : undefined;
  const after =
    format === 'toml'
      ? mergeTomlConfig(before, section, SERVER_NAME, entry)
      : entry === undefined
        ? removeClientEntry(before, section, SERVER_NAME)
        : mergeClientConfig(before, section, SERVER_NAME, entry);
  const isEmpty = /^\s*(\{\s*("\w+"\s*:\s*\{\s*\})?\s*\})?\s*$/.test(after);
  if (backup === undefined && isEmpty) await rm(file, { force: true });
  else await writeFile(file, after);
}

async function undoKey(
  { file, installedFor }: Step & { kind: 'key' },
  at: HostEnvironment,
  all: readonly Step[],
  signal: AbortSignal,
): Promise<string> {
  const publicKey = await readFile(`${file}.pub`, 'utf8').catch(() => undefined);
  if (publicKey !== undefined) {
    const settings = all.find((step) => step.kind === 'settings');
    const loaded = loadConfig({ envFile: settings?.file, fallbacks: { acceptRisks: 'true' } }, at);
    if (!loaded.ok) throw new Error(`the settings are invalid; remove the key from ${installedFor} manually`);
    const target = { ...resolveSshTarget(loaded.config, at), identityFiles: [file] };
    const channels = await connectOnce(target, { hostKeys: [], logins: [] }, signal);
    try {
      await removeKey(new RemoteShell(channels, { sudo: false, logger: QUIET }), publicKey);
    } finally {
      await channels.close();
    }
  }
  await rm(file, { force: true });
  await rm(`${file}.pub`, { force: true });
  return `key ${file} removed from this machine and from ${installedFor}`;
}

function nameOf(step: Step): string {
  return step.kind === 'directory' ? step.dir : step.file;
}
