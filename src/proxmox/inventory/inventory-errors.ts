import { AppError } from '../../lib/errors.ts';
import { disconnected } from '../../remote/remote-errors.ts';
import type { ScriptOutput } from '../../remote/remote-shell.ts';

export function notProxmox(): AppError {
  return new AppError(
    'NOT_A_PROXMOX_NODE',
    'The SSH server has no /etc/pve, so it is not a Proxmox VE node.',
    'Check PROXMOX_HOST: it must be a Proxmox VE node, not a container or another server.',
  );
}

export function forbidden(): AppError {
  return new AppError(
    'PERMISSION_DENIED',
    'The SSH user has no permission to read the cluster file system /etc/pve, which requires root.',
    'Log in as root (SSH_USERNAME), or set SUDO=true and allow the SSH user to run /bin/sh with sudo and NOPASSWD.',
  );
}

export function pmxcfsDown(): AppError {
  return new AppError(
    'PMXCFS_UNAVAILABLE',
    'The cluster file system /etc/pve is not mounted, because pve-cluster (pmxcfs) is not running.',
    {
      model:
        'Tell the user to check `systemctl status pve-cluster` on the node. Commands in running containers may still work.',
      person:
        'Run `systemctl status pve-cluster` on the node. Commands in running containers still work if no rule needs their attributes (POLICY=open).',
    },
  );
}

/**
 * Why the script that reads the inventory did not reach its end.
 * @param silenceMs how long the cluster file system may be silent
 */
export function unreadable(output: ScriptOutput, limitMs: number, silenceMs: number): AppError {
  if (output.ended === 'disconnected') return disconnected('reading the list of containers');
  if (output.ended === 'cancelled') {
    return new AppError(
      'CANCELLED',
      'The call was cancelled. It changed nothing.',
      'Call again if the result is still needed.',
    );
  }
  if (output.ended === 'timeout' && !output.responded) {
    return new AppError(
      'SSH_UNREACHABLE',
      `The node did not answer within ${limitMs / 1000} s, although it is connected.`,
      'Check the load of the node and the network, then call again.',
    );
  }
  if (output.ended === 'timeout') {
    return new AppError(
      'PMXCFS_UNAVAILABLE',
      `The cluster file system /etc/pve on the node did not answer within ${Math.min(limitMs, silenceMs) / 1000} s: pmxcfs hangs.`,
      {
        model:
          'Tell the user to check `systemctl status pve-cluster corosync` on the node. Commands in running containers may still work.',
        person:
          'Run `systemctl status pve-cluster corosync` on the node. Commands in running containers still work if no rule needs their attributes (POLICY=open).',
      },
    );
  }
  return new AppError(
    'EXIT_UNKNOWN',
    'The script that reads the list of containers was aborted on the node.',
    'Call again. If it fails again, check the load and the free memory of the node.',
    { stderr: output.stderr },
  );
}
