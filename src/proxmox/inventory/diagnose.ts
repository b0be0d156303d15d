import { AppError } from '../../lib/errors.ts';
import { delay } from '../../lib/waits.ts';
import type { CommandNotStarted } from '../../remote/remote-errors.ts';
import type { RemoteShell } from '../../remote/remote-shell.ts';
import { nodeFull } from '../../remote/session-errors.ts';
import { LIMIT_HINT, reachedLimit } from '../exec/reached-limit.ts';
import type { ContainerStatus, ContainerSummary } from '../proxmox-types.ts';
import { findContainer, readInventory } from './inventory.ts';

/** What to do about a /dev/null that cannot be opened. */
export const DEV_NULL_HINT =
  'Look at /dev/null there with `ls -l`: it must be a character device of mode 666, on a file system without `nodev`. A restart of a container makes a new one.';

/** Messages of lxc-attach if the monitor of the container no longer answers. */
const MONITOR_ENDS =
  /Connection (?:refused|reset)|Failed to get (?:init pid|container state|state of container)/i;
/** The most time from these messages to the end of the container, in ms, and the time between two looks. */
const ENDING_LIMIT_MS = 3_000;
const ENDING_PAUSE_MS = 200;

/**
 * Finds out why a command did not start in a container. lxc-attach prints "Failed to get init pid" for stopped and unknown
 * containers and for those on other nodes, so the state of the container is checked before its message.
 */
export async function diagnoseContainer(
  shell: RemoteShell,
  vmid: number,
  failure: CommandNotStarted,
  signal: AbortSignal,
): Promise<AppError> {
  let problem: AppError | undefined;
  try {
    problem = await whyUnusableNow(shell, vmid, failure, signal);
  } catch (error) {
    const wordsTell = error instanceof AppError && error.code === 'PERMISSION_DENIED' && needsRoot(failure);
    if (wordsTell) return mayNotAttach(failure);
    if (error instanceof AppError && error.code !== 'PMXCFS_UNAVAILABLE') return error;
    return attachFailed(vmid, failure);
  }
  if (problem) return problem;
  const { stderr, code } = failure;
  const isFull = /Resource temporarily unavailable|Cannot allocate memory|annot fork/.test(stderr);
  const limit = isFull || code === 137 ? await limitOf(shell, vmid, signal) : null;
  if (limit !== null || isFull) {
    return new AppError(
      'ATTACH_FAILED',
      `The command could not be started in container ${vmid}. ${limit ?? 'A limit of the container or of the node is reached: no further process can be started.'}`,
      LIMIT_HINT,
      { stderr },
    );
  }
  if (/lxc-attach: (command )?not found/.test(stderr)) return noLxcAttach(failure);
  if (/\/dev\/null: Permission denied/.test(stderr)) {
    return new AppError(
      'ATTACH_FAILED',
      `Container ${vmid} could not be entered: its /dev/null cannot be opened.`,
      DEV_NULL_HINT,
      { stderr },
    );
  }
  if (/Failed to exec|exec format|No such file or directory/i.test(stderr) || code === 127) {
    return new AppError(
      'NO_SHELL',
      `Container ${vmid} has no /bin/sh, so commands and file transfers are not possible in it.`,
      'This is an application container without a shell. Manage it from outside, or rebuild it from an image with a shell.',
      { stderr },
    );
  }
  return attachFailed(vmid, failure);
}

/** What is wrong with the state of a container. If it is just ending, lxc-attach fails before the state tells. */
async function whyUnusableNow(
  shell: RemoteShell,
  vmid: number,
  { stderr }: CommandNotStarted,
  signal: AbortSignal,
): Promise<AppError | undefined> {
  const until = performance.now() + (MONITOR_ENDS.test(stderr) ? ENDING_LIMIT_MS : 0);
  for (;;) {
    const problem = whyUnusable(findContainer(await readInventory(shell, signal), vmid));
    if (problem !== undefined || performance.now() >= until || signal.aborted) return problem;
    await delay(ENDING_PAUSE_MS);
  }
}

/** The limit of the container that is reached, or else of the node, which starts lxc-attach. */
async function limitOf(shell: RemoteShell, vmid: number, signal: AbortSignal): Promise<string | null> {
  const own = await reachedLimit(shell, { kind: 'container', vmid }, signal);
  return own ?? (await reachedLimit(shell, { kind: 'host' }, signal));
}

/** The error for a container in which no command can run now; undefined if one can. */
export function whyUnusable(container: ContainerSummary): AppError | undefined {
  const { vmid } = container;
  if (!container.local) return onOtherNode(container);
  if (container.template) {
    return new AppError(
      'CONTAINER_IS_TEMPLATE',
      `Container ${vmid} is a template, which cannot run.`,
      'Clone the template and use the clone.',
    );
  }
  if (container.status === 'running') return undefined;
  if (container.lock === 'migrate') {
    return new AppError(
      'CONTAINER_LOCKED',
      `Container ${vmid} is being migrated from node ${container.node} to another node (lock: migrate), and is ${container.status} until that has finished.`,
      'Wait until the migration has finished, then call again: the container is found on its new node.',
    );
  }
  return new AppError(
    'CONTAINER_NOT_RUNNING',
    `Container ${vmid} is ${container.status}.`,
    container.lock === null
      ? 'Start it with proxmox_start_container.'
      : `It is locked (${container.lock}). Wait until the lock is released, then start it with proxmox_start_container.`,
  );
}

/** The container is not on the node where it was looked for. The caller looks for it on its node, once. */
export function onOtherNode({ vmid, node }: Pick<ContainerStatus, 'vmid' | 'node'>): AppError {
  return new AppError(
    'CONTAINER_ON_OTHER_NODE',
    `Container ${vmid} is on node ${node} now: it moved while the call was being prepared. The call was not executed.`,
    'Call again.',
  );
}

export async function diagnoseHost(
  shell: RemoteShell,
  failure: CommandNotStarted,
  signal: AbortSignal,
): Promise<AppError> {
  const limit = await reachedLimit(shell, { kind: 'host' }, signal);
  if (limit !== null) return nodeFull(limit);
  return new AppError(
    'ATTACH_FAILED',
    `The command could not be started on the node (exit code ${failure.code}).`,
    'See stderr for the reason, and try to log in and run the same command with ssh.',
    { stderr: failure.stderr },
  );
}

/** Messages of LXC for a user without root privileges. */
function needsRoot({ stderr }: CommandNotStarted): boolean {
  return /You lack access|Permission denied|Operation not permitted/.test(stderr);
}

function mayNotAttach({ stderr }: CommandNotStarted): AppError {
  return new AppError(
    'PERMISSION_DENIED',
    'The SSH user has no permission to run commands in containers, which requires root.',
    'Log in as root (SSH_USERNAME), or set SUDO=true and allow the SSH user to run /bin/sh with sudo and NOPASSWD.',
    { stderr },
  );
}

function noLxcAttach({ stderr }: CommandNotStarted): AppError {
  return new AppError(
    'NOT_A_PROXMOX_NODE',
    'lxc-attach is not installed on the SSH server, so it is not a Proxmox VE node.',
    'Check PROXMOX_HOST: it must be a Proxmox VE node with pve-container installed.',
    { stderr },
  );
}

function attachFailed(vmid: number, { stderr, code }: CommandNotStarted): AppError {
  const unwritable = /(Read-only file system|No space left on device) - Failed to open "(\/[^"]*)"/.exec(
    stderr,
  );
  if (unwritable !== null) {
    const [, why, file = ''] = unwritable;
    return new AppError(
      'ATTACH_FAILED',
      `The command could not be started in container ${vmid}: lxc-attach cannot write ${file} on the node (${why}).`,
      {
        model: 'Tell the user that the file system of that file on the node is full or read-only.',
        person: `Check the file system on the node: \`findmnt -T ${file}\` and \`df -h -T ${file}\`.`,
      },
      { stderr },
    );
  }
  const message = stderr.trim().split('\n').at(-1)?.trim() ?? '';
  return new AppError(
    'ATTACH_FAILED',
    `The command could not be started in container ${vmid} (exit code ${code})${message === '' ? '' : `: ${message.slice(0, 300)}`}.`,
    'Check the container with proxmox_container_status, and the cgroups, namespaces or AppArmor profile that the message names.',
    { stderr },
  );
}
