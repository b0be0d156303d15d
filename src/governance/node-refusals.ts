import { AppError } from '../lib/errors.ts';
import { LOCKDOWN_HINT } from './lockdown/lockdown-file.ts';

/** The error for what a node found about the approval or the lockdown of a call. @param why as precondition.sh reports it */
export function nodeRefusal(why: string): AppError | undefined {
  switch (why) {
    case 'locked':
      return new AppError(
        'LOCKED_DOWN',
        'The operator has locked the cluster down, so only read-only tools run. The call was not executed.',
        LOCKDOWN_HINT,
      );
    case 'used':
      return new AppError(
        'APPROVAL_USED',
        'The approval for this call has already been used. The call was not executed.',
        'Each approval applies to one call. Call again to request a new one.',
      );
    case 'unwritable':
      return new AppError(
        'APPROVAL_UNCLAIMED',
        'The node could not record that the approval was used, because /run/proxmox-mcp/claims cannot be written. The call was not executed.',
        {
          model: 'Report this to the user: /run on the node must be writable for the SSH user.',
          person:
            'Make sure that /run on the node is writable, and that the SSH user is root or may run /bin/sh with sudo.',
        },
      );
    default:
      return undefined;
  }
}
