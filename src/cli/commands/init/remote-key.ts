import { randomBytes } from 'node:crypto';
import { AppError } from '../../../lib/errors.ts';
import type { RemoteShell } from '../../../remote/shell.ts';

/** Adds the line $2 to authorized_keys unless it is there. $1 nonce. On a Proxmox VE node root's is a link into /etc/pve. */
const ADD_SCRIPT = `umask 077
mkdir -p "$HOME/.ssh" || exit 1
f=$HOME/.ssh/authorized_keys
if [ -e "$f" ] && grep -qxF -- "$2" "$f"; then echo "$1 present"; exit 0; fi
if [ -s "$f" ] && [ -n "$(tail -c 1 "$f")" ]; then echo >>"$f" || exit 1; fi
printf '%s\\n' "$2" >>"$f" && echo "$1 added"
`;

/** Removes it again. Written in place, for the link's sake. */
const REMOVE_SCRIPT = `f=$HOME/.ssh/authorized_keys
rest=$(grep -vxF -- "$2" "$f"); [ $? -le 1 ] || exit 1
printf '%s' "$rest\${rest:+
}" >"$f" && echo "$1 removed"
`;

const LIMIT_MS = 15_000;

/** Lets a public key in on the far side. @throws AppError when that fails. */
export async function installKey(node: RemoteShell, publicKey: string): Promise<'added' | 'present'> {
  const answer = await run(node, ADD_SCRIPT, publicKey, 'install the key');
  return answer === 'present' ? 'present' : 'added';
}

/** Takes a public key away from the far side again. */
export async function removeKey(node: RemoteShell, publicKey: string): Promise<void> {
  await run(node, REMOVE_SCRIPT, publicKey, 'remove the key');
}

async function run(node: RemoteShell, script: string, publicKey: string, what: string): Promise<string> {
  const nonce = randomBytes(8).toString('hex');
  const output = await node.script(script, [nonce, publicKey.trim()], { timeoutMs: LIMIT_MS });
  const answer = new RegExp(`^${nonce} (\\w+)$`, 'm').exec(output.stdout)?.[1];
  if (answer !== undefined) return answer;
  throw new AppError(
    'PERMISSION_DENIED',
    `The node did not ${what}: ${output.stderr.trim().split('\n').at(-1) || `no answer (${output.ended})`}.`,
    'Look at ~/.ssh/authorized_keys of that user on the node, its rights and the space on its disk.',
    { stderr: output.stderr },
  );
}
