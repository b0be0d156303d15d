import { AppError } from '../lib/errors.ts';
import type { NodeOutput } from '../remote/shell.ts';

/**
 * Explains a failure of pct by what it printed: its exit codes are leftovers of errno and collide with
 * everything else (PVE-measured: the same failure gives 2, 4 or 255).
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
      ? `\`pct ${verb}\` failed without saying why (code ${output.code}).`
      : `\`pct ${verb}\` failed: ${last}`,
    'Look at the task log of the container in the Proxmox web interface.',
    { stderr },
  );
}

export function containerLocked(lock: string, verb: string): AppError {
  return new AppError(
    'CONTAINER_LOCKED',
    `The container is locked by an operation of type "${lock}", so Proxmox refuses to ${verb} it.`,
    'Wait until that operation is over. If it was interrupted and the lock is stale, an admin can run `pct unlock` on the node. Commands and file transfers work meanwhile.',
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
        `Another operation holds the container's configuration, so \`pct ${verb}\` gave up waiting after 10 s.`,
        'Try again when that operation is over.',
        { stderr },
      ),
  },
  {
    pattern: /in error state, must be disabled and fixed first/,
    make: (verb, stderr) =>
      new AppError(
        'PCT_FAILED',
        `The container is managed by HA and its service is in state error, so HA refuses to ${verb} it.`,
        'Find the cause in the task log, then run on a node `ha-manager set ct:VMID --state disabled`, and `--state started` to start it again.',
        { stderr },
      ),
  },
  {
    pattern: /no quorum/,
    make: (verb, stderr) =>
      new AppError(
        'NO_QUORUM',
        `The cluster has no quorum, so Proxmox refuses to ${verb} a container.`,
        'Bring back enough nodes; `pvecm status` on the node shows who is missing. Commands in running containers still work.',
        { stderr },
      ),
  },
  {
    pattern: /ipcc_send_rec\[\d+\] failed: Connection refused/,
    make: (_verb, stderr) =>
      new AppError(
        'PMXCFS_UNAVAILABLE',
        "The cluster file system isn't running on the node, so pct can't work.",
        'Run `systemctl status pve-cluster` on the node. Commands in running containers still work.',
        { stderr },
      ),
  },
  {
    pattern: /Unable to load access control list|please run as root/im,
    make: (verb, stderr) =>
      new AppError(
        'PERMISSION_DENIED',
        `The user that we log in as may not run \`pct ${verb}\`.`,
        'Log in as root, or set SUDO=true and allow this user /bin/sh by sudo with NOPASSWD.',
        { stderr },
      ),
  },
  {
    pattern: /pct: (command )?not found|No such file or directory.*pct/,
    make: (_verb, stderr) =>
      new AppError(
        'NOT_A_PROXMOX_NODE',
        'The server that answered has no pct, so it is not a Proxmox VE node.',
        'Check HOST: it must name a Proxmox VE node itself.',
        { stderr },
      ),
  },
  {
    pattern: /Configuration file '.*' does not exist/,
    make: (_verb, stderr) =>
      new AppError(
        'CONTAINER_NOT_FOUND',
        'There is no such container on this node.',
        'Call proxmox_list_containers for the VMIDs that exist.',
        { stderr },
      ),
  },
];
