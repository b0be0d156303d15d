import type { Config } from '../../../config/settings-schema.ts';
import type { Finding } from './check.ts';
import type { Probe } from './probe.ts';

/** What we may do as root, one way or another. */
export interface Rights {
  readonly lxcAttach: boolean;
  readonly pct: boolean;
  /** Our own scripts: reading the cluster's files, verified kills. */
  readonly scripts: boolean;
}

const ALL: Rights = { lxcAttach: true, pct: true, scripts: true };
/** In the order in which they matter; `env` is for the host tools alone. */
const NEEDED = ['lxc-attach', 'lxc-info', 'lxc-stop', 'pct', 'sh'] as const;

type Settings = Pick<Config, 'sudo' | 'enableHostExec'>;

/**
 * What the login may do. Pure.
 * @param allowed what sudo lets it run without a password; undefined if that was not asked
 */
export function judgeRights(
  probe: Probe,
  settings: Settings,
  allowed: ReadonlySet<string> | undefined,
): Finding<Rights> {
  const hasSudo = probe.paths.has('sudo');
  if (probe.uid === 0 && (!settings.sudo || hasSudo)) {
    return { verdict: 'ok', detail: settings.sudo ? 'root (SUDO=true is not needed)' : 'root', value: ALL };
  }
  if (probe.uid === 0) {
    return problem('SUDO=true, but the node has no sudo, and root needs none.', 'Remove SUDO=true.');
  }
  const { user } = probe;
  if (!settings.sudo) {
    return problem(
      `${user} is not root, and SUDO is false.`,
      `Log in as root; or leave SUDO out${hasSudo ? '' : ', install sudo on the node,'} and allow ${user} what is needed. As root on the node:\n${sudoRule(probe)}`,
    );
  }
  if (!hasSudo) {
    return problem(
      `${user} is not root, and the node has no sudo.`,
      `As root on the node:\napt install sudo\n${sudoRule(probe)}`,
    );
  }
  return judgeSudo(probe, settings, allowed ?? new Set());
}

function judgeSudo(probe: Probe, settings: Settings, allowed: ReadonlySet<string>): Finding<Rights> {
  const { user } = probe;
  const value: Rights = {
    lxcAttach: allowed.has('lxc-attach') && allowed.has('sh'),
    pct: allowed.has('pct'),
    scripts: allowed.has('sh'),
  };
  const missing = NEEDED.filter((program) => !allowed.has(program));
  const remedy = `For the full service, as root on the node:\n${sudoRule(probe)}`;
  if (!value.pct && !value.lxcAttach) {
    return problem(`sudo lets ${user} run nothing of what is needed without a password.`, remedy);
  }
  if (!value.scripts) {
    return {
      verdict: 'warn',
      detail: `${user}, by sudo, but of what is needed only ${[...allowed].sort().join(', ')}: every call takes 0.7 s longer, lists show this node alone, a frozen container is not noticed, and there are no host tools.`,
      remedy,
      value,
    };
  }
  if (missing.length > 0) {
    return { verdict: 'warn', detail: `${user}, by sudo, but without ${missing.join(', ')}.`, remedy, value };
  }
  if (settings.enableHostExec && !allowed.has('env')) {
    return {
      verdict: 'warn',
      detail: `${user}, by sudo; ENABLE_HOST_EXEC=true needs env as well.`,
      remedy: `Add ${probe.paths.get('env') ?? '/usr/bin/env'} to the sudo rule: that makes ${user} root on the node.`,
      value,
    };
  }
  return { verdict: 'ok', detail: `${user}, by sudo`, value };
}

function problem(detail: string, remedy: string): Finding<Rights> {
  return { verdict: 'fail', code: 'PERMISSION_DENIED', detail, remedy };
}

/** A line to paste, on a line of its own. */
function sudoRule({ user, paths }: Probe): string {
  const usual = {
    'lxc-attach': '/usr/bin',
    'lxc-info': '/usr/bin',
    'lxc-stop': '/usr/bin',
    pct: '/usr/sbin',
  };
  const programs = Object.entries(usual).map(([name, dir]) => paths.get(name) ?? `${dir}/${name}`);
  return `echo '${user} ALL=(root) NOPASSWD: ${[...programs, '/bin/sh'].join(', ')}' > /etc/sudoers.d/proxmox-mcp`;
}

/** How commands will get into containers, given the rights and EXEC_METHOD. Pure. */
export function judgeEntry(
  method: Config['execMethod'],
  rights: Rights,
  probe: Probe,
): Finding<'lxc-attach' | 'pct'> {
  const attach = rights.lxcAttach && probe.paths.has('lxc-attach');
  if (attach && method !== 'pct') return { verdict: 'ok', detail: 'lxc-attach', value: 'lxc-attach' };
  if (rights.pct && method === 'pct') {
    return attach
      ? {
          verdict: 'warn',
          detail: 'pct exec, as EXEC_METHOD=pct says: 0.7 s for every command.',
          remedy: 'lxc-attach works here and takes 0.02 s: leave EXEC_METHOD out.',
          value: 'pct',
        }
      : {
          verdict: 'ok',
          detail: 'pct exec, as EXEC_METHOD=pct says (0.7 s for every command)',
          value: 'pct',
        };
  }
  if (rights.pct && method === 'auto') {
    return {
      verdict: 'warn',
      detail: 'pct exec, as lxc-attach is not allowed: 0.7 s for every command.',
      remedy: 'Set EXEC_METHOD=pct, which saves the vain attempt, or allow lxc-attach and sh by sudo.',
      value: 'pct',
    };
  }
  return {
    verdict: 'fail',
    code: 'PERMISSION_DENIED',
    detail: `EXEC_METHOD=${method}, but ${method === 'pct' ? 'pct' : 'lxc-attach'} may not be run.`,
    remedy: 'Leave EXEC_METHOD out, or allow it by sudo.',
  };
}
