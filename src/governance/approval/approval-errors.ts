import { AppError } from '../../lib/errors.ts';
import type { Decision, Subject } from '../policy/policy-types.ts';
import type { Answer } from './elicitation.ts';

const SAID: Readonly<Record<Exclude<Answer, 'yes' | 'unable'>, string>> = {
  declined: 'The person who was asked said no',
  cancelled: 'The person who was asked closed the question without an answer',
  unticked: 'The person who was asked did not tick the box, which is a no',
  silent: 'Nobody answered the question in time, which is a no',
};

export function refused(answer: Exclude<Answer, 'yes' | 'unable'>): AppError {
  return new AppError(
    'CONFIRMATION_REFUSED',
    `${SAID[answer]}. Nothing was done.`,
    answer === 'silent'
      ? 'Tell your user that the call waits for a confirmation, and call again when somebody is there to answer.'
      : 'Do not look for a way around it. Ask your user what to do instead.',
  );
}

export function expired(): AppError {
  return new AppError(
    'APPROVAL_EXPIRED',
    'The yes for this call came too late, or has been kept for too long. Nothing was done.',
    'Call again to ask anew.',
  );
}

export function invalid(): AppError {
  return new AppError(
    'APPROVAL_INVALID',
    'The yes that came with this call was not given for it: arguments, caller or server differ, or it was changed on its way. Nothing was done.',
    'Call again, with the same arguments from question to answer, to ask anew.',
  );
}

export function noApproverAvailable({ tool }: Subject, { rule }: Decision): AppError {
  return new AppError(
    'CONFIRMATION_REQUIRED',
    `${tool} needs a person's yes here (rule "${rule}"), and this client can't show questions. Nothing was done.`,
    'Tell your user. The operator can let such calls be approved in a terminal (APPROVALS=terminal), or change the policy.',
  );
}

export function unclaimable(tool: string, rule: string): AppError {
  return new AppError(
    'APPROVAL_UNCLAIMED',
    `${tool} needs a person's yes here (rule "${rule}"), and nobody was asked: the node can't note that a yes is used up, as sudo there allows this server's user no more than pct. Nothing was done.`,
    'The operator can log in as root, allow the user sh by sudo with NOPASSWD, or change the policy.',
  );
}

export function tooMany(count: number): AppError {
  return new AppError(
    'CONFIRMATION_REQUIRED',
    `${count} calls wait for an approval already; no more are taken. Nothing was done.`,
    'Ask your user to look at them with `proxmox-mcp approvals` first.',
  );
}

/** @param id as people type it */
export function pending(id: string, minutes: number): AppError {
  return new AppError(
    'APPROVAL_PENDING',
    `The call waits for a person's approval, ${id}. Nothing was done yet.`,
    `Ask your user to run \`proxmox-mcp approvals approve ${id}\` within ${minutes} minutes in a terminal on the machine of this server, and then call again with exactly the same arguments.`,
  );
}

export function storeUnavailable(cause: unknown): AppError {
  return new AppError(
    'STATE_UNAVAILABLE',
    'The call needs an approval, and the request for it could not be written to STATE_DIR. Nothing was done.',
    'Ask the operator to look at STATE_DIR: it must be writable by this server, and by nobody else.',
    { cause },
  );
}
