import type { Config } from '../../../config/settings-schema.ts';
import { type AppError, nextStep } from '../../../lib/errors.ts';
import type { Finding } from './check.ts';
import type { Probe } from './probe.ts';

/**
 * What the login may do. Pure.
 * @param refused how sudo refused to run /bin/sh, if it did
 */
export function judgeRights(probe: Probe, settings: Pick<Config, 'sudo'>, refused?: AppError): Finding<true> {
  const { user, uid, paths } = probe;
  const hasSudo = paths.has('sudo');
  if (uid === 0 && (!settings.sudo || hasSudo)) {
    return { verdict: 'ok', detail: settings.sudo ? 'root (SUDO=true is not needed)' : 'root', value: true };
  }
  if (uid === 0) {
    return problem('SUDO=true, but the node has no sudo, and root needs none.', 'Remove SUDO=true.');
  }
  if (!settings.sudo) {
    return problem(
      `${user} is not root, and SUDO is false.`,
      `Log in as root; or leave SUDO out${hasSudo ? '' : ', install sudo on the node,'} and allow ${user} to become root. As root on the node:\n${sudoRule(user)}`,
    );
  }
  if (!hasSudo) {
    return problem(
      `${user} is not root, and the node has no sudo.`,
      `As root on the node:\napt install sudo\n${sudoRule(user)}`,
    );
  }
  if (refused === undefined) return { verdict: 'ok', detail: `${user}, by sudo`, value: true };
  if (refused.code !== 'PERMISSION_DENIED') return problem(refused.message, nextStep(refused, 'person'));
  const said = refused.stderr?.split('\n').at(-1)?.trim() ?? '';
  return problem(
    `sudo does not let ${user} run /bin/sh without a password${said === '' ? '' : ` (${JSON.stringify(said.slice(0, 100))})`}.`,
    `This makes ${user} root on the node. As root there:\n${sudoRule(user)}`,
  );
}

function problem(detail: string, remedy: string): Finding<true> {
  return { verdict: 'fail', code: 'PERMISSION_DENIED', detail, remedy };
}

/** A line to paste, on a line of its own. */
function sudoRule(user: string): string {
  return `echo '${user} ALL=(root) NOPASSWD: /bin/sh' > /etc/sudoers.d/proxmox-mcp`;
}

/** Whether commands can get into containers. Pure. */
export function judgeAttach(probe: Probe): Finding<true> {
  if (probe.paths.has('lxc-attach')) return { verdict: 'ok', detail: 'lxc-attach', value: true };
  return {
    verdict: 'fail',
    code: 'NOT_A_PROXMOX_NODE',
    detail: 'The node has no lxc-attach, so no command gets into a container.',
    remedy: 'Install pve-container on the node.',
  };
}
