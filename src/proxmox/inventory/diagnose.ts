import { AppError } from '../../lib/errors.ts';
import type { CommandNotStarted } from '../../remote/errors.ts';
import type { RemoteShell } from '../../remote/shell.ts';
import type { ContainerStatus } from '../proxmox-types.ts';
import { findContainer, readInventory } from './inventory.ts';

/**
 * Finds out why nothing began in a container. lxc-attach says "Failed to get init pid" for a stopped, an unknown
 * and a foreign container alike, so the state of the container comes before the words.
 */
export async function diagnoseContainer(
  shell: RemoteShell,
  vmid: number,
  failure: CommandNotStarted,
  signal: AbortSignal,
): Promise<AppError> {
  let container: ContainerStatus;
  try {
    container = findContainer(await readInventory(shell, signal), vmid);
  } catch (error) {
    const wordsTell = error instanceof AppError && error.code === 'PERMISSION_DENIED' && needsRoot(failure);
    if (wordsTell) return mayNotAttach(failure);
    if (error instanceof AppError && error.code !== 'PMXCFS_UNAVAILABLE') return error;
    return attachFailed(vmid, failure);
  }
  const problem = whyUnusable(container);
  if (problem) return problem;
  const { stderr, code } = failure;
  if (/lxc-attach: (command )?not found/.test(stderr)) return noLxcAttach(failure);
  if (/\/dev\/null: Permission denied/.test(stderr)) {
    return new AppError(
      'ATTACH_FAILED',
      `Container ${vmid} could not be entered: its /dev/null cannot be opened.`,
      'Look at /dev/null in the container with `ls -l`: it must be a character device of mode 666. A restart of the container makes a new one.',
      { stderr },
    );
  }
  if (/Failed to exec|exec format|No such file or directory/i.test(stderr) || code === 127) {
    return new AppError(
      'NO_SHELL',
      `Container ${vmid} has no /bin/sh, so no command can be run in it and no file transferred.`,
      'It is an application container without a shell: manage it from outside, or rebuild it from an image that has one.',
      { stderr },
    );
  }
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
  return new AppError(
    'ATTACH_FAILED',
    `The command could not be started on the node (code ${failure.code}).`,
    'Its words are in stderr; try the same by hand with ssh.',
    { stderr: failure.stderr },
  );
}

/** Words with which LXC refuses a user who is not root. */
function needsRoot({ stderr }: CommandNotStarted): boolean {
  return /You lack access|Permission denied|Operation not permitted/.test(stderr);
}

function mayNotAttach({ stderr }: CommandNotStarted): AppError {
  return new AppError(
    'PERMISSION_DENIED',
    'The user that this server logs in as may not enter containers: that takes root.',
    'Set SUDO=true and allow the user /bin/sh by sudo with NOPASSWD, or log in as root.',
    { stderr },
  );
}

function noLxcAttach({ stderr }: CommandNotStarted): AppError {
  return new AppError(
    'NOT_A_PROXMOX_NODE',
    'The server that answered has no lxc-attach.',
    'Check HOST: it must name a Proxmox VE node itself, with pve-container installed.',
    { stderr },
  );
}

function attachFailed(vmid: number, { stderr, code }: CommandNotStarted): AppError {
  const words = stderr.trim().split('\n').at(-1)?.trim() ?? '';
  return new AppError(
    'ATTACH_FAILED',
    `Container ${vmid} could not be entered (code ${code})${words === '' ? '' : `: ${words.slice(0, 300)}`}.`,
    'Look with proxmox_container_status, and at the cgroups, namespaces and AppArmor profile that the message names.',
    { stderr },
  );
}
