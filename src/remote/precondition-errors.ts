import { AppError } from '../lib/errors.ts';
import type { Precondition } from './remote-types.ts';

/** The guard did not answer. It lets nothing pass any more by then; but that it has passed may be under way. */
export class PreconditionTimeout extends AppError {
  constructor(guard: Precondition) {
    super(
      'ATTRIBUTES_UNREADABLE',
      `The node did not say in time whether ${whom(guard)} still is what the call was decided on, so the call was given up.`,
      'Look at its effects before repeating it, for its answer may have been lost. If pmxcfs hangs: `systemctl status pve-cluster corosync` on the node.',
    );
  }
}

/** Why the guard let nothing pass. */
export function preconditionRefused(why: string, guard: Precondition, stderr: string): AppError {
  const who = whom(guard);
  switch (why) {
    case 'changed':
    case 'gone':
      return new AppError(
        'TARGET_CHANGED',
        `Name, node, tags or pool of ${who} changed while the call was decided on. Nothing was run.`,
        'Look with proxmox_container_status, and call again if it is still wanted.',
      );
    case 'slow':
      return new AppError(
        'ATTRIBUTES_UNREADABLE',
        `The attributes of ${who} could not be read in time, so nothing was run.`,
        'Look at the load of the node, and at `systemctl status pve-cluster`.',
      );
    case 'unread':
      return new AppError(
        'ATTRIBUTES_UNREADABLE',
        `\`pct config\` did not tell on the node whether ${who} still is what the call was decided on, so nothing was run.`,
        'Its words are in stderr; sudo on the node must allow this user `pct config`.',
        { stderr },
      );
    case 'used':
      return new AppError(
        'APPROVAL_USED',
        'The approval of this call has already been used by another one. Nothing was run.',
        'Each approval is good for one call. Call again to ask for a new one.',
      );
    case 'unclaimable':
      return unclaimed('/run/proxmox-mcp/claims on the node can not be written', stderr);
    default:
      if (guard.approvalId !== null) return unclaimed('the check on the node did not run', stderr);
      return new AppError(
        'ATTRIBUTES_UNREADABLE',
        `The check on the node whether ${who} still is what the call was decided on did not run, so nothing else was.`,
        'The login shell must be a POSIX shell; a user other than root needs SUDO=true and sudo rules that allow sh.',
        { stderr },
      );
  }
}

/** @param why names what stands in the way */
export function unclaimed(why: string, stderr: string): AppError {
  return new AppError(
    'APPROVAL_UNCLAIMED',
    `It could not be noted on the node that the approval is used up (${why}), so nothing was run.`,
    'Log in as root, or set SUDO=true and allow the user sh by sudo with NOPASSWD; /run must be writable.',
    { stderr },
  );
}

function whom({ attributes: facts }: Precondition): string {
  return facts === null ? 'the node' : `container ${facts.vmid}`;
}
