import type { SeenHostKey } from '../../../ssh/host-keys.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import { type Examination, type Finding, failed } from './check.ts';
import { agentVariables, entryRemedy, isLastingSocket } from './dropped-variables.ts';
import type { SeenWhileConnecting } from './session-check.ts';

/** Reports the connection: a host key check and a login check for each hop. */
export function reportConnection(
  exam: Examination,
  target: SshTarget,
  connection: SeenWhileConnecting,
  outcome: { readonly ms: number } | { readonly error: unknown },
): void {
  let before = 0;
  for (const hop of [...target.jumps, target]) {
    const seen = connection.hostKeys.find((each) => same(each.target, hop));
    const login = connection.logins.find((each) => same(each.target, hop));
    if (seen?.seen.verdict === 'refused' || seen === undefined) {
      const finding: Finding<never> =
        'error' in outcome
          ? failed(outcome.error)
          : { verdict: 'fail', detail: 'The server sent no host key.' };
      exam.add('host-key', withHop(hop, target, finding));
      exam.add('login', { verdict: 'skipped', detail: 'skipped because an earlier check failed' });
      return;
    }
    exam.add('host-key', withHop(hop, target, { ...judgeHostKey(seen.seen, hop), ms: seen.atMs - before }));
    if (login === undefined) {
      const finding: Finding<never> =
        'error' in outcome
          ? failed(outcome.error)
          : { verdict: 'fail', detail: 'The server accepted no login.' };
      exam.add('login', withHop(hop, target, finding));
      return;
    }
    const detail = `as ${hop.username}, with ${login.method}`;
    exam.add(
      'login',
      withHop(hop, target, { ...judgeLogin(detail, login.method, hop), ms: login.atMs - seen.atMs }),
    );
    before = login.atMs;
  }
}

/** Compares by value, because targets are copied. */
function same(one: SshTarget, other: SshTarget): boolean {
  return one.host === other.host && one.port === other.port && one.username === other.username;
}

/** Adds the name of the hop if there are jump hosts. */
function withHop<T>(hop: SshTarget, target: SshTarget, finding: Finding<T>): Finding<T> {
  if (target.jumps.length === 0 || finding.verdict === 'fail') return finding;
  return { ...finding, detail: `${hop.host}: ${finding.detail}` };
}

/** Whether a server that an MCP client starts can log in the same way. */
function judgeLogin(detail: string, method: string, hop: SshTarget): Finding<true> {
  const [dropped] = method.startsWith('agent key') ? agentVariables({ ...hop, jumps: [] }) : [];
  if (dropped === undefined) return { verdict: 'ok', detail };
  const named = isLastingSocket(dropped.value)
    ? `${entryRemedy(dropped)}, or name the socket as IdentityAgent in ~/.ssh/config`
    : 'use a key file (SSH_KEY), because the name of this socket changes with the next login';
  return {
    verdict: 'warn',
    detail: `${detail} from the ssh-agent in ${dropped.name}. MCP clients do not pass this variable on: a server that a client starts ${dropped.effect}.`,
    remedy: `For a server that a client starts, ${named}.`,
  };
}

function judgeHostKey(seen: SeenHostKey, target: SshTarget): Finding<true> {
  const key = `${seen.type} ${seen.fingerprint}`;
  if (seen.verdict === 'known') return { verdict: 'ok', detail: `${key}, pinned in ${seen.file}` };
  const compare = `Compare it with the output of \`ssh-keygen -lf ${hostKeyFile(seen.type)}\` on the node itself (its console, or the shell in the web interface)`;
  if (target.hostKeyPolicy === 'insecure') {
    return {
      verdict: 'warn',
      detail: `${key} is unknown, and SSH_HOST_KEY_POLICY=insecure accepts any host key.`,
      remedy: `${compare}. If it matches, remove SSH_HOST_KEY_POLICY; the next call then pins the key.`,
    };
  }
  return {
    verdict: 'warn',
    detail: `${key} is not known yet.`,
    remedy: `${compare}. The first call pins it in ${target.knownHostsWriteFile}.`,
  };
}

/** The usual path of a server's public host key of this type. */
export function hostKeyFile(type: string): string {
  return `/etc/ssh/ssh_host_${type.replace(/^ssh-|-sha2-.*$/g, '')}_key.pub`;
}
