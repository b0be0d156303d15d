import { AppError } from '../../../lib/errors.ts';
import type { RemoteShell } from '../../../remote/remote-shell.ts';
import { SCRIPTS } from '../../../remote/scripts/index.ts';

const LIMIT_MS = 15_000;

/** Adds a public key to authorized_keys on the node. @throws AppError */
export async function installKey(node: RemoteShell, publicKey: string): Promise<'added' | 'present'> {
  const answer = await run(node, SCRIPTS.addAuthorizedKey, publicKey, 'install the key');
  return answer === 'present' ? 'present' : 'added';
}

/** Removes a public key from authorized_keys on the node. @throws AppError */
export async function removeKey(node: RemoteShell, publicKey: string): Promise<void> {
  await run(node, SCRIPTS.removeAuthorizedKey, publicKey, 'remove the key');
}

async function run(node: RemoteShell, script: string, publicKey: string, what: string): Promise<string> {
  const output = await node.script(script, [publicKey.trim()], { timeoutMs: LIMIT_MS });
  const answer = output.items.find(([key]) => key === 'key')?.[1];
  if (answer !== undefined) return answer;
  throw new AppError(
    'PERMISSION_DENIED',
    `Could not ${what} on the node: ${output.stderr.trim().split('\n').at(-1) || `no result (${output.ended})`}.`,
    'Check ~/.ssh/authorized_keys of that user on the node: its permissions, and free disk space.',
    { stderr: output.stderr },
  );
}
