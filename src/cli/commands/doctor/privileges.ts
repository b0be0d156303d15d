import type { Config } from '../../../config/settings-schema.ts';
import { type AppError, nextStep } from '../../../lib/errors.ts';
import type { Finding } from './check.ts';
import type { Probe } from './probe.ts';

/**
 * Judges whether the login is root or becomes root by sudo. Pure.
 * @param refused the error of running /bin/sh by sudo, if that failed
 */
export function judgeRights(probe: Probe, settings: Pick<Config, 'sudo'>, refused?: AppError): Finding<true> {
  const { user, uid, paths } = probe;
  const hasSudo = paths.has('sudo');
  if (uid === 0 && (!settings.sudo || hasSudo)) {
    return { verdict: 'ok', detail: settings.sudo ? 'root (SUDO=true is not needed)' : 'root', value: true };
  }
  if (uid === 0) {
    return problem(
      'SUDO=true is set, but sudo is not installed on the node.',
      'Remove SUDO=true: root does not need sudo.',
    );
  }
  if (!settings.sudo) {
    return problem(
      `${user} is not root, and SUDO=false disables sudo.`,
      `Log in as root. Or remove SUDO=false${hasSudo ? '' : ', install sudo on the node'} and let ${user} become root. As root on the node:\n${sudoRule(user)}`,
    );
  }
  if (!hasSudo) {
    return problem(
      `${user} is not root, and sudo is not installed on the node.`,
      `As root on the node:\napt install sudo\n${sudoRule(user)}`,
    );
  }
  if (refused === undefined) return { verdict: 'ok', detail: `${user}, by sudo`, value: true };
  const remedy = nextStep(refused, 'person');
  // Another sudo rule than that for the password is the cause, or another setting of sudo.
  const isOtherRule = /\bEXEC\b|requiretty|sudoers/.test(remedy);
  if (refused.code !== 'PERMISSION_DENIED' || isOtherRule) return problem(refused.message, remedy);
  const lastLine = refused.stderr?.split('\n').at(-1)?.trim() ?? '';
  return problem(
    `sudo does not let ${user} run /bin/sh without a password${lastLine === '' ? '' : ` (${JSON.stringify(lastLine.slice(0, 100))})`}.`,
    `Allow it as root on the node. This makes ${user} root there:\n${sudoRule(user)}`,
  );
}

function problem(detail: string, remedy: string): Finding<true> {
  return { verdict: 'fail', code: 'PERMISSION_DENIED', detail, remedy };
}

/** The shell command that adds the sudo rule. */
function sudoRule(user: string): string {
  return `echo '${user} ALL=(root) NOPASSWD: /bin/sh' > /etc/sudoers.d/proxmox-mcp`;
}

/** Judges whether commands can be run in containers. Pure. */
export function judgeAttach(probe: Probe): Finding<true> {
  if (probe.paths.has('lxc-attach')) return { verdict: 'ok', detail: 'lxc-attach', value: true };
  return {
    verdict: 'fail',
    code: 'NOT_A_PROXMOX_NODE',
    detail: 'The node has no lxc-attach, so commands cannot be run in containers.',
    remedy: 'Install pve-container on the node.',
  };
}
