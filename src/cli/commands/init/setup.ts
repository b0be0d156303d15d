import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { KeyPair } from '../../../lib/key-pair.ts';
import { RemoteShell } from '../../../remote/shell.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import { connectOnce } from '../doctor/session-check.ts';
import { type FileChange, stampOf, type Undo, writeChange } from './changes.ts';
import type { ConfirmedKeys } from './pin-host-key.ts';
import { installKey, removeKey } from './remote-key.ts';

/** All that is to be done, decided and tried before the first of it is. */
export interface Plan {
  readonly changes: readonly FileChange[];
  readonly hostKeys: ConfirmedKeys;
  /** Logged in to with the password, if a key is to be installed. */
  readonly target: SshTarget;
  readonly newKey: { readonly pair: KeyPair; readonly file: string } | undefined;
}

export interface Done {
  /** What was done, a phrase each. */
  readonly steps: readonly string[];
}

const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Does all of a plan or nothing: when a step fails or `signal` is aborted in between, those before it are undone. Both
 * ends are touched, so the node comes first: a key that it does not take shall not stand in any file.
 */
export async function carryOut(plan: Plan, signal: AbortSignal): Promise<Done> {
  const undos: Undo[] = [];
  const steps: string[] = [];
  const stamp = stampOf(new Date());
  try {
    if (plan.newKey !== undefined) {
      const { pair, file } = plan.newKey;
      steps.push(await saveKey(pair, file, undos));
      steps.push(await letIn(plan, pair, file, undos, signal));
    }
    signal.throwIfAborted();
    undos.push(() => plan.hostKeys.unpin());
    for (const file of await plan.hostKeys.pin()) steps.push(`host key pinned in ${file}`);
    for (const change of plan.changes) {
      signal.throwIfAborted();
      const { backup, undo } = await writeChange(change, stamp);
      undos.push(undo);
      steps.push(`${change.file} written${backup === undefined ? '' : `; as it was before: ${backup}`}`);
    }
    return { steps };
  } catch (error) {
    for (const undo of undos.reverse()) await undo().catch(() => {});
    throw error;
  }
}

async function saveKey(pair: KeyPair, file: string, undos: Undo[]): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  undos.push(async () => {
    await rm(file, { force: true });
    await rm(`${file}.pub`, { force: true });
  });
  await writeFile(file, pair.privateKey, { mode: 0o600, flag: 'wx' });
  await writeFile(`${file}.pub`, `${pair.publicKey}\n`, { mode: 0o644, flag: 'wx' });
  return `key pair made: ${file}`;
}

/** Installs the key with the password and proves that it opens the door without it. */
async function letIn(
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
      undos.push(() => removeAgain(target, pair));
    }
  } finally {
    await withPassword.close();
  }
  const { password: _, agent: __, ...rest } = target;
  const withKey = { ...rest, identityFiles: [file] };
  await (await connectOnce(withKey, { hostKeys: [], logins: [] }, signal)).close();
  return `key installed for ${target.username}@${target.host}, and tried`;
}

async function removeAgain(target: SshTarget, pair: KeyPair): Promise<void> {
  const channels = await connectOnce(target, { hostKeys: [], logins: [] }, new AbortController().signal);
  try {
    await removeKey(new RemoteShell(channels, { sudo: false, logger: QUIET }), pair.publicKey);
  } finally {
    await channels.close();
  }
}
