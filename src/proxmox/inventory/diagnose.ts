import { AppError } from '../../lib/errors.ts';
import type { AttachTarget } from '../../remote/command-line.ts';
import type { CommandNotStarted } from '../../remote/errors.ts';
import type { RemoteShell } from '../../remote/shell.ts';
import { pctFailed } from '../pct-errors.ts';
import type { ContainerStatus } from '../proxmox-types.ts';
import { findContainer, readInventory } from './inventory.ts';

/** sudo has no rule for it, or there is no such program: another way in may do better. */
export function isAttachDenied(failure: CommandNotStarted): boolean {
  return /^sudo: /m.test(failure.stderr) || /lxc-attach: (command )?not found/.test(failure.stderr);
}

/**
 * Finds out why nothing began in a container. lxc-attach says "Failed to get init pid" for a stopped, an unknown
 * and a foreign container alike, so the inventory is asked.
 */
export async function diagnoseContainer(
  node: RemoteShell,
  entry: Extract<AttachTarget, { kind: 'container' }>,
  failure: CommandNotStarted,
  signal: AbortSignal,
): Promise<AppError> {
  const { vmid } = entry;
  if (isAttachDenied(failure)) return mayNot(failure);
  if (/You lack access|Permission denied|Operation not permitted/.test(failure.stderr))
    return needsRoot(failure);
  let container: ContainerStatus;
  try {
    container = findContainer(await readInventory(node, signal), vmid);
  } catch (error) {
    if (error instanceof AppError && error.code !== 'PMXCFS_UNAVAILABLE') return error;
    return attachFailed(vmid, failure);
  }
  const problem = whyUnusable(container);
  if (problem) return problem;
  if (/Failed to exec|exec format|No such file or directory/i.test(failure.stderr) || failure.code === 127) {
    return new AppError(
      'NO_SHELL',
      `Container ${vmid} has no /bin/sh, so no command can be run in it and no file transferred.`,
      'It is an application container without a shell: look after it from outside, or rebuild it from an image that has one.',
      { stderr: failure.stderr },
    );
  }
  if (entry.method === 'pct') return pctFailed('exec', { ...failure, stdout: '' });
  return attachFailed(vmid, failure);
}

/** The error for a container in which nothing can run now, if that is so. */
export function whyUnusable(container: ContainerStatus): AppError | undefined {
  const { vmid } = container;
  if (!container.local) {
    return new AppError(
      'CONTAINER_ON_OTHER_NODE',
      `Container ${vmid} lives on node ${container.node}, not on the node that this server logs in to.`,
      `Use a server whose HOST is ${container.node}, or migrate the container.`,
    );
  }
  if (container.template) {
    return new AppError(
      'CONTAINER_IS_TEMPLATE',
      `Container ${vmid} is a template; templates never run.`,
      'Clone it and use the clone.',
    );
  }
  if (container.status === 'running') return undefined;
  return new AppError(
    'CONTAINER_NOT_RUNNING',
    `Container ${vmid} is ${container.status}.`,
    container.lock === null
      ? 'Start it with proxmox_start_container.'
      : `It is locked (${container.lock}); when that is over, start it with proxmox_start_container.`,
  );
}

export function diagnoseHost(failure: CommandNotStarted): AppError {
  if (isAttachDenied(failure)) return mayNot(failure);
  return new AppError(
    'ATTACH_FAILED',
    `The command could not be started on the node (code ${failure.code}).`,
    'The login shell of the user must be a POSIX shell; try the same by hand with ssh.',
    { stderr: failure.stderr },
  );
}

function needsRoot(failure: CommandNotStarted): AppError {
  return new AppError(
    'PERMISSION_DENIED',
    'The user that this server logs in as may not enter containers: that takes root.',
    'Set SUDO=true and allow the user lxc-attach and sh by sudo without a password, or log in as root.',
    { stderr: failure.stderr },
  );
}

function mayNot(failure: CommandNotStarted): AppError {
  return new AppError(
    'PERMISSION_DENIED',
    'sudo on the node does not allow what is needed without a password.',
    'Allow the user lxc-attach (or pct, with EXEC_METHOD=pct) and sh by sudo with NOPASSWD, or log in as root.',
    { stderr: failure.stderr },
  );
}

function attachFailed(vmid: number, failure: CommandNotStarted): AppError {
  return new AppError(
    'ATTACH_FAILED',
    `Container ${vmid} could not be entered (code ${failure.code}); it may be stopped or unknown to this node, or this user may lack the rights.`,
    'Look with proxmox_container_status. A user other than root needs SUDO=true.',
    { stderr: failure.stderr },
  );
}
