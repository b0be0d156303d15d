import type { SeenHostKey } from '../../../ssh/host-keys.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import { type Examination, type Finding, failed } from './check.ts';
import { agentVariables, entryRemedy, isLastingSocket } from './dropped-variables.ts';
import type { Learnt } from './session-check.ts';

/** States what came of connecting: one host key and one login for each server on the way. */
export function reportConnection(
  exam: Examination,
  target: SshTarget,
  learnt: Learnt,
  outcome: { readonly ms: number } | { readonly error: unknown },
): void {
  let before = 0;
  for (const hop of [...target.jumps, target]) {
    const seen = learnt.hostKeys.find((each) => same(each.target, hop));
    const login = learnt.logins.find((each) => same(each.target, hop));
    if (seen?.seen.verdict === 'refused' || seen === undefined) {
      const finding: Finding<never> =
        'error' in outcome ? failed(outcome.error) : { verdict: 'fail', detail: 'no host key was shown.' };
      exam.add('host-key', about(hop, target, finding));
      exam.add('login', { verdict: 'skipped', detail: 'skipped because an earlier check failed' });
      return;
    }
    exam.add('host-key', about(hop, target, { ...judgeHostKey(seen.seen, hop), ms: seen.atMs - before }));
    if (login === undefined) {
      const finding: Finding<never> =
        'error' in outcome ? failed(outcome.error) : { verdict: 'fail', detail: 'nothing was accepted.' };
      exam.add('login', about(hop, target, finding));
      return;
    }
    const detail = `as ${hop.username}, with ${login.method}`;
    exam.add(
      'login',
      about(hop, target, { ...judgeLogin(detail, login.method, hop), ms: login.atMs - seen.atMs }),
    );
    before = login.atMs;
  }
}

/** Targets are copied on the way; what they name stays. */
function same(one: SshTarget, other: SshTarget): boolean {
  return one.host === other.host && one.port === other.port && one.username === other.username;
}

/** With a jump host on the way, every line says whom it is about. */
function about<T>(hop: SshTarget, target: SshTarget, finding: Finding<T>): Finding<T> {
  if (target.jumps.length === 0 || finding.verdict === 'fail') return finding;
  return { ...finding, detail: `${hop.host}: ${finding.detail}` };
}

/** Whether a server that a client starts can log in like that, too. */
function judgeLogin(detail: string, method: string, hop: SshTarget): Finding<true> {
  const [dropped] = method.startsWith('agent key') ? agentVariables({ ...hop, jumps: [] }) : [];
  if (dropped === undefined) return { verdict: 'ok', detail };
  const named = isLastingSocket(dropped.value)
    ? `${entryRemedy(dropped)}, or name the socket as IdentityAgent in ~/.ssh/config`
    : 'use a key file (SSH_KEY), since this socket has another name after the next login';
  return {
    verdict: 'warn',
    detail: `${detail}, which comes from the ssh-agent at ${dropped.name}. MCP clients do not pass that variable on; a server that one starts ${dropped.effect}.`,
    remedy: `For such a server, ${named}.`,
  };
}

function judgeHostKey(seen: SeenHostKey, target: SshTarget): Finding<true> {
  const key = `${seen.type} ${seen.fingerprint}`;
  if (seen.verdict === 'known') return { verdict: 'ok', detail: `${key}, pinned in ${seen.file}` };
  const compare = `Compare it with what \`ssh-keygen -lf ${hostKeyFile(seen.type)}\` prints on the node itself (its console, or the shell of its web interface)`;
  if (target.hostKeyPolicy === 'insecure') {
    return {
      verdict: 'warn',
      detail: `${key}, which is not known, and SSH_HOST_KEY_POLICY=insecure accepts any.`,
      remedy: `${compare}, then pin it: leave SSH_HOST_KEY_POLICY out, and the next call does.`,
    };
  }
  return {
    verdict: 'warn',
    detail: `${key}, which is not known yet.`,
    remedy: `${compare}. The first call will pin it in ${target.knownHostsWriteFile}.`,
  };
}

/** Where a server usually has the public half of its host key of a type. */
export function hostKeyFile(type: string): string {
  return `/etc/ssh/ssh_host_${type.replace(/^ssh-|-sha2-.*$/g, '')}_key.pub`;
}
