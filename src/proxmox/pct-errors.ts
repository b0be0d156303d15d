import { AppError } from '../lib/errors.ts';
import type { NodeOutput } from '../remote/remote-shell.ts';

/**
 * Explains a failure of pct by its output, because its exit codes are meaningless (measured on PVE: the same failure gives 2, 4
 * or 255).
 */
export function pctFailed(verb: string, output: Pick<NodeOutput, 'stderr' | 'stdout' | 'code'>): AppError {
  const text = `${output.stderr}\n${output.stdout}`;
  const stderr = output.stderr.trim();
  const locked = /CT is locked \(([^)]+)\)/.exec(text);
  if (locked) return containerLocked(locked[1] ?? 'unknown', verb);
  for (const { pattern, make } of KNOWN_FAILURES) {
    const match = pattern.exec(text);
    if (match) return make(verb, stderr);
  }
  const last = stderr.split('\n').at(-1)?.trim() ?? '';
  return new AppError(
    'PCT_FAILED',
    last === ''
      ? `\`pct ${verb}\` failed without a message (exit code ${output.code}).`
      : `\`pct ${verb}\` failed: ${last}`,
    'Check the task log of the container in the Proxmox web interface.',
    { stderr },
  );
}

export function containerLocked(lock: string, verb: string): AppError {
  return new AppError(
    'CONTAINER_LOCKED',
    `The container is locked (${lock}), so Proxmox refuses to ${verb} it.`,
    'Wait until that operation has finished. If it was interrupted and the lock is stale, an administrator can remove it with `pct unlock` on the node. Commands and file transfers still work.',
  );
}

export function noQuorum(verb: string, stderr?: string): AppError {
  return new AppError(
    'NO_QUORUM',
    `The cluster has no quorum (cluster not ready), so Proxmox refuses to ${verb} a container.`,
    'Bring enough nodes back online; `pvecm status` on the node shows which are missing. Commands in running containers still work.',
    stderr === undefined ? {} : { stderr },
  );
}

const KNOWN_FAILURES: readonly {
  pattern: RegExp;
  make: (verb: string, stderr: string) => AppError;
}[] = [
  {
    pattern: /can't lock file .* - got timeout/,
    make: (verb, stderr) =>
      new AppError(
        'CONTAINER_LOCKED',
        `Another operation has locked the configuration of the container, so \`pct ${verb}\` failed after 10 s.`,
        'Call again after that operation has finished.',
        { stderr },
      ),
  },
  {
    pattern: /in error state, must be disabled and fixed first/,
    make: (verb, stderr) =>
      new AppError(
        'PCT_FAILED',
        `The container is managed by HA and its service is in state error, so HA refuses to ${verb} it.`,
        'Find the cause in the task log. Then run `ha-manager set ct:VMID --state disabled` on a node, and `ha-manager set ct:VMID --state started` to start the container again.',
        { stderr },
      ),
  },
  {
    pattern: /no quorum/,
    make: noQuorum,
  },
  {
    pattern: /ipcc_send_rec\[\d+\] failed: Connection refused/,
    make: (_verb, stderr) =>
      new AppError(
        'PMXCFS_UNAVAILABLE',
        'The cluster file system is not running on the node, so pct does not work.',
        'Run `systemctl status pve-cluster` on the node. Commands in running containers still work.',
        { stderr },
      ),
  },
  {
    pattern: /Unable to load access control list|please run as root/im,
    make: (verb, stderr) =>
      new AppError(
        'PERMISSION_DENIED',
        `The SSH user has no permission to run \`pct ${verb}\`.`,
        'Log in as root (SSH_USERNAME), or set SUDO=true and allow the SSH user to run /bin/sh with sudo and NOPASSWD.',
        { stderr },
      ),
  },
  {
    pattern: /pct: (command )?not found|No such file or directory.*pct/,
    make: (_verb, stderr) =>
      new AppError(
        'NOT_A_PROXMOX_NODE',
        'pct is not installed on the SSH server, so it is not a Proxmox VE node.',
        'Check PROXMOX_HOST: it must be a Proxmox VE node.',
        { stderr },
      ),
  },
  {
    pattern: /Configuration file '.*' does not exist/,
    make: (_verb, stderr) =>
      new AppError(
        'CONTAINER_NOT_FOUND',
        'The container does not exist on this node.',
        'List the existing VMIDs with proxmox_list_containers.',
        { stderr },
      ),
  },
];
