import { rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { KeyPair } from '../../../lib/key-pair.ts';
import { makeDirectories } from '../../../lib/make-directories.ts';
import { RemoteShell } from '../../../remote/remote-shell.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import { connectOnce } from '../doctor/session-check.ts';
import { type FileChange, stampOf, type Undo, writeChange } from './changes.ts';
import { digestOf, type Step } from './init-journal.ts';
import type { ConfirmedKeys } from './pin-host-key.ts';
import { installKey, removeKey } from './remote-key.ts';
import type { PlannedChanges } from './setup-plan.ts';

/** All changes of a set-up. They are planned and tested before the first one is made. */
export interface Plan {
  readonly changes: PlannedChanges;
  readonly hostKeys: ConfirmedKeys;
  /** The node; with the password if a key is to be installed. */
  readonly target: SshTarget;
  readonly newKey: { readonly pair: KeyPair; readonly file: string } | undefined;
  /** The transfer directory, to be created if it does not exist. */
  readonly transferDir: string | undefined;
}

export interface Done {
  /** What was done, one phrase each. */
  readonly summary: readonly string[];
  /** The same for `init --undo`. */
  readonly steps: readonly Step[];
}

const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Applies a whole plan or nothing: when a step fails or `signal` aborts, the earlier steps are undone. The node is changed
 * first: a key that it does not accept must not appear in any file.
 */
export async function carryOut(plan: Plan, signal: AbortSignal): Promise<Done> {
  const undos: Undo[] = [];
  const summary: string[] = [];
  const steps: Step[] = [];
  const stamp = stampOf(new Date());
  const apply = async (change: FileChange): Promise<string | undefined> => {
    signal.throwIfAborted();
    const { backup, undo } = await writeChange(change, stamp);
    undos.push(undo);
    summary.push(`${change.file} written${backup === undefined ? '' : `; backup: ${backup}`}`);
    return backup;
  };
  try {
    if (plan.newKey !== undefined) {
      const { pair, file } = plan.newKey;
      const { username, host, port } = plan.target;
      summary.push(await saveKey(pair, file, undos));
      summary.push(await authorizeKey(plan, pair, file, undos, signal));
      steps.push({ kind: 'key', file, installedFor: `${username}@${host} port ${port}` });
    }
    signal.throwIfAborted();
    undos.push(() => plan.hostKeys.unpin());
    for (const file of await plan.hostKeys.pin()) summary.push(`host key pinned in ${file}`);
    for (const line of plan.hostKeys.lines) steps.push({ kind: 'host-key', ...line });
    const { transferDir } = plan;
    if (transferDir !== undefined && (await makeDirectories(transferDir, 0o700)) !== undefined) {
      undos.push(() => rmdir(transferDir));
      steps.push({ kind: 'directory', dir: transferDir });
      summary.push(`${transferDir} created, for transferred files`);
    }
    const { settings, entries } = plan.changes;
    if (settings.before !== settings.after) {
      const backup = await apply(settings);
      steps.push({ kind: 'settings', file: settings.file, ...(backup === undefined ? {} : { backup }) });
    }
    for (const change of entries.filter(({ before, after }) => before !== after)) {
      const { title, format, section } = change.app;
      const backup = await apply(change);
      const more = backup === undefined ? {} : { backup };
      steps.push({
        kind: 'entry',
        title,
        file: change.file,
        format,
        section,
        previous: change.previous,
        written: digestOf(change.after),
        ...more,
      });
    }
    return { summary, steps };
  } catch (error) {
    for (const undo of undos.reverse()) await undo().catch(() => {});
    throw error;
  }
}

async function saveKey(pair: KeyPair, file: string, undos: Undo[]): Promise<string> {
  await makeDirectories(path.dirname(file), 0o700);
  undos.push(async () => {
    await rm(file, { force: true });
    await rm(`${file}.pub`, { force: true });
  });
  await writeFile(file, pair.privateKey, { mode: 0o600, flag: 'wx' });
  await writeFile(`${file}.pub`, `${pair.publicKey}\n`, { mode: 0o644, flag: 'wx' });
  return `key pair created: ${file}`;
}

/** Installs the key using the password, then tests a login with the key alone. */
async function authorizeKey(
  { target }: Plan,
  pair: KeyPair,
  file: string,
  undos: Undo[],
  signal: AbortSignal,
): Promise<string> {
  const withPassword = await connectOnce(target, { hostKeys: [], logins: [] }, signal);
  try {
    const node = new RemoteShell(withPassword, { sudo: false, logger: QUIET });
    if ((await installKey(node, pair.publicKey)) === 'added') {
      undos.push(() => uninstallKey(target, pair));
    }
  } finally {
    await withPassword.close();
  }
  const { password: _, agent: __, ...rest } = target;
  const withKey = { ...rest, identityFiles: [file] };
  await (await connectOnce(withKey, { hostKeys: [], logins: [] }, signal)).close();
  return `key authorized for ${target.username}@${target.host} and tested`;
}

async function uninstallKey(target: SshTarget, pair: KeyPair): Promise<void> {
  const channels = await connectOnce(target, { hostKeys: [], logins: [] }, new AbortController().signal);
  try {
    await removeKey(new RemoteShell(channels, { sudo: false, logger: QUIET }), pair.publicKey);
  } finally {
    await channels.close();
  }
}
