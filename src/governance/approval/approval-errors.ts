import { AppError } from '../../lib/errors.ts';
import type { Decision, Subject } from '../policy/policy-types.ts';
import type { Answer } from './elicitation.ts';

const SAID: Readonly<Record<Exclude<Answer, 'yes' | 'unable'>, string>> = {
  declined: 'The person who was asked refused the call',
  cancelled: 'The person who was asked closed the question without an answer',
  unticked: 'The person who was asked did not tick the box, which refuses the call',
  silent: 'No answer came in time, which refuses the call',
};

export function refused(answer: Exclude<Answer, 'yes' | 'unable'>): AppError {
  return new AppError(
    'CONFIRMATION_REFUSED',
    `${SAID[answer]}. The call was not executed.`,
    answer === 'silent'
      ? 'Tell your user that the call waits for a confirmation, and call again when a person is there to answer.'
      : 'Do not try to get around it. Ask your user what to do instead.',
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
    'The approval that came with this call was not given for it: arguments, caller or server differ, or it was changed on its way. The call was not executed.',
    'Call again, with the same arguments for question and answer, to request a new approval.',
  );
}

export function consumed(): AppError {
  return new AppError(
    'APPROVAL_USED',
    'The question that this answer belongs to has been answered before. The call was not executed.',
    'Each question takes one answer. Call again without an answer to be asked anew.',
  );
}

/** @param why completes "…, and …" */
export function noApproverAvailable({ tool }: Subject, { rule }: Decision, why: string): AppError {
  return new AppError(
    'CONFIRMATION_REQUIRED',
    `${tool} must be confirmed by a person (rule "${rule}"), and ${why}. The call was not executed.`,
    'Tell your user. The operator can let such calls be approved in a terminal (APPROVALS=terminal), or change the policy.',
  );
}

/** @param whose completes "N calls … wait" */
export function tooMany(count: number, whose: string): AppError {
  return new AppError(
    'CONFIRMATION_REQUIRED',
    `${count} calls${whose} wait for an approval already; no more are taken. The call was not executed.`,
    'Ask your user to answer them with `proxmox-mcp approvals` first.',
  );
}

/** @param id as people type it */
export function pending(id: string, minutes: number): AppError {
  return new AppError(
    'APPROVAL_PENDING',
    `The call waits for a person's approval, ${id}. It was not executed yet.`,
    `Ask your user to run \`proxmox-mcp approvals approve ${id}\` within ${minutes} minutes in a terminal on the machine of this server, and then call again with exactly the same arguments.`,
  );
}

export function storeUnavailable(cause: unknown): AppError {
  return new AppError(
    'STATE_UNAVAILABLE',
    'The call needs an approval, and the request for it could not be written to STATE_DIR. The call was not executed.',
    'Ask the operator to check STATE_DIR: it must be writable by this server, and by no other user.',
    { cause },
  );
}
