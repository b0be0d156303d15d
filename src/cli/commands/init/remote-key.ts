import { AppError } from '../../../lib/errors.ts';
import { SCRIPTS } from '../../../remote/scripts/index.ts';
import type { RemoteShell } from '../../../remote/shell.ts';

const LIMIT_MS = 15_000;

/** Lets a public key in on the far side. @throws AppError when that fails. */
export async function installKey(node: RemoteShell, publicKey: string): Promise<'added' | 'present'> {
  const answer = await run(node, SCRIPTS.addAuthorizedKey, publicKey, 'install the key');
  return answer === 'present' ? 'present' : 'added';
}

/** Takes a public key away from the far side again. */
export async function removeKey(node: RemoteShell, publicKey: string): Promise<void> {
  await run(node, SCRIPTS.removeAuthorizedKey, publicKey, 'remove the key');
}

async function run(node: RemoteShell, script: string, publicKey: string, what: string): Promise<string> {
  const output = await node.script(script, [publicKey.trim()], { timeoutMs: LIMIT_MS });
  const answer = output.items.find(([key]) => key === 'key')?.[1];
  if (answer !== undefined) return answer;
  throw new AppError(
    'PERMISSION_DENIED',
    `The node did not ${what}: ${output.stderr.trim().split('\n').at(-1) || `no answer (${output.ended})`}.`,
    'Look at ~/.ssh/authorized_keys of that user on the node, its rights and the space on its disk.',
    { stderr: output.stderr },
  );
}
