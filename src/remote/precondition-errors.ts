import { AppError } from '../lib/errors.ts';
import type { Precondition } from './remote-types.ts';

/** Why a precondition let nothing pass. @param why the word of precondition.sh, or `timeout` where it did not answer */
export function preconditionRefused(why: string, precondition: Precondition): AppError {
  const { attributes } = precondition;
  const target = attributes === null ? 'the node' : `container ${attributes.vmid}`;
  switch (why) {
    case 'changed':
    case 'gone':
      return new AppError(
        'TARGET_CHANGED',
        `Name, node, tags or pool of ${target} changed while the call was being decided. Nothing was run.`,
        'Look with proxmox_container_status, and call again if it is still wanted.',
      );
    case 'slow':
      return new AppError(
        'ATTRIBUTES_UNREADABLE',
        `The attributes of ${target} could not be read in time. Nothing was run.`,
        'Look at the load of the node, and at `systemctl status pve-cluster`.',
      );
    case 'locked':
      return new AppError(
        'LOCKED_DOWN',
        'The operator has locked down the cluster: only calls that change nothing run. Nothing was run.',
        'Tell your user. The operator lifts it with `proxmox-mcp lockdown --off`.',
      );
    case 'used':
      return new AppError(
        'APPROVAL_USED',
        'The approval of this call has already been used by another one. Nothing was run.',
        'Each approval is good for one call. Call again to request a new one.',
      );
    case 'unwritable':
      return new AppError(
        'APPROVAL_UNCLAIMED',
        'It could not be noted on the node that the approval is used up: /run/proxmox-mcp/claims cannot be written. Nothing was run.',
        'Log in as root, or set SUDO=true; /run must be writable.',
      );
    default:
      return new AppError(
        'ATTRIBUTES_UNREADABLE',
        `The node did not say in time whether ${target} is unchanged, so the call was given up.`,
        'Look at its effects before repeating it: the answer may have been lost. If pmxcfs hangs: `systemctl status pve-cluster corosync` on the node.',
      );
  }
}
