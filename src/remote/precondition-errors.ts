import { AppError } from '../lib/errors.ts';
import type { Precondition } from './remote-types.ts';

/** The error for a failed precondition. @param why the reason that precondition.sh reported, or `timeout` if it did not answer */
export function preconditionRefused(
  why: string,
  { attributes }: Precondition,
  vmid: number | null = null,
): AppError {
  const id = attributes?.vmid ?? vmid;
  const target = id === null ? 'the node' : `container ${id}`;
  switch (why) {
    case 'changed':
    case 'gone':
      return new AppError(
        'TARGET_CHANGED',
        `The name, node, tags or pool of ${target} changed while the call was being checked. The call was not executed.`,
        'Check the container with proxmox_container_status, and call again if the call is still correct.',
      );
    case 'moved':
      return new AppError(
        'CONTAINER_ON_OTHER_NODE',
        `The configuration of ${target} is no longer on the node to which the call was sent. The call was not executed.`,
        'Call again: the next call looks for the container on the other nodes.',
      );
    case 'slow':
      return new AppError(
        'ATTRIBUTES_UNREADABLE',
        `The attributes of ${target} could not be read in time. The call was not executed.`,
        'Check the load of the node, and run `systemctl status pve-cluster` there.',
      );
    default:
      return new AppError(
        'ATTRIBUTES_UNREADABLE',
        `The node did not confirm in time that ${target} is unchanged since the call was checked. The call was aborted.`,
        'Check the effects of the call before you repeat it, because the confirmation may have been lost. If this persists, pmxcfs may hang: run `systemctl status pve-cluster corosync` on the node.',
      );
  }
}
