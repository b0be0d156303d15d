import { AppError } from '../../lib/errors.ts';
import type { Decision, Subject } from '../policy/policy-types.ts';
import type { Answer } from './elicitation.ts';

const REASONS: Readonly<Record<Exclude<Answer, 'approved' | 'unable'>, string>> = {
  declined: 'The user refused this call',
  cancelled: 'The user closed the approval question without an answer',
  unticked: 'The user did not tick the box that approves the call',
  silent: 'The user did not answer the approval question in time',
};

export function refused(answer: Exclude<Answer, 'approved' | 'unable'>): AppError {
  return new AppError(
    'CONFIRMATION_REFUSED',
    `${REASONS[answer]}. The call was not executed.`,
    answer === 'silent'
      ? 'Tell the user that the call needs approval, and call again when the user can answer.'
      : {
          model: 'Do not work around this. Ask the user what to do instead.',
          person: 'To be asked again, run the command again.',
        },
  );
}

export function expired(): AppError {
  return new AppError(
    'APPROVAL_EXPIRED',
    'The approval for this call has expired. The call was not executed.',
    'Call again to request a new approval.',
  );
}

export function invalid(): AppError {
  return new AppError(
    'APPROVAL_INVALID',
    'The approval does not match this call: its arguments, caller or server are different, or it was altered. The call was not executed.',
    'Call again to request a new approval, and do not change the arguments between the question and the answer.',
  );
}

export function consumed(): AppError {
  return new AppError(
    'APPROVAL_USED',
    'This approval question was already answered. The call was not executed.',
    'Each question accepts one answer. Call again without an answer to get a new question.',
  );
}

/** @param why completes "…, but …" */
export function noApproverAvailable({ tool }: Subject, { rule }: Decision, why: string): AppError {
  return new AppError(
    'CONFIRMATION_REQUIRED',
    `${tool} needs approval (rule "${rule}"), but ${why}. The call was not executed.`,
    {
      model: 'Do not work around this. Tell the user which call needs approval and which rule requires it.',
      person:
        'To approve such calls in a terminal, set APPROVALS=terminal and run `proxmox-mcp approvals passphrase`.',
    },
  );
}

/** @param whose completes "N calls … are waiting" */
export function tooMany(count: number, whose: string): AppError {
  return new AppError(
    'CONFIRMATION_REQUIRED',
    `${count} calls${whose} are already waiting for approval, which is the limit. The call was not executed.`,
    'Ask the user to approve or deny them with `proxmox-mcp approvals` first.',
  );
}

/** @param id the part of the id that a person types */
export function pending(id: string, minutes: number): AppError {
  return new AppError(
    'APPROVAL_PENDING',
    `This call needs approval (ID ${id}). It was not executed yet.`,
    `Ask the user to run \`proxmox-mcp approvals approve ${id}\` within ${minutes} minutes in a terminal on the machine of this server. Then call again with exactly the same arguments.`,
  );
}

export function storeUnavailable(cause: unknown): AppError {
  return new AppError(
    'STATE_UNAVAILABLE',
    'The call needs approval, but the approval request could not be written to STATE_DIR. The call was not executed.',
    {
      model: 'Report this to the user: the directory STATE_DIR of this server must be writable.',
      person: 'Check the directory STATE_DIR: only the user who runs the server may have write access.',
    },
    { cause },
  );
}
