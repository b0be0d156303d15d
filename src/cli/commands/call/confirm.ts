import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { answerRequest, tryPassphrase } from '../../../governance/approval/answer-request.ts';
import type { Answer, InlineElicitation } from '../../../governance/approval/elicitation.ts';
import { ApprovalStore } from '../../../governance/approval/request-store.ts';
import { askSecret, PromptCancelled } from '../../output/ask.ts';
import { printError, redrawLine } from '../../output/output.ts';
import { dataOf } from './present-call.ts';

/** Whether the user can be asked at the terminal. Questions go to stderr, so that stdout can be piped. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks for confirmation at the terminal: y/N, and the approval passphrase if one is set. */
export function terminalElicitation(stateDir: string): InlineElicitation {
  return {
    kind: 'inline',
    ask: async (message) => {
      if (!(await agrees(message))) return 'declined';
      const store = new ApprovalStore(stateDir);
      if ((await store.passphrase()) === undefined) return 'approved';
      return withPassphrase(async (passphrase) => {
        const outcome = await tryPassphrase(store, passphrase, message, Date.now());
        return typeof outcome === 'string' ? 'approved' : problemOf(outcome);
      });
    },
  };
}

/**
 * Asks the user to approve the pending request of a call (APPROVALS=terminal).
 * @returns whether the request was approved, so that the same call can be made again
 */
export async function approvePending(result: CallToolResult, stateDir: string): Promise<boolean> {
  const { code, error } = dataOf(result);
  const id = typeof error === 'string' ? /\b[0-9a-f]{8}\b/.exec(error)?.[0] : undefined;
  if (code !== 'APPROVAL_PENDING' || id === undefined) return false;
  const store = new ApprovalStore(stateDir);
  const asked = (await store.list()).find((each) => each.id.startsWith(id));
  if (asked === undefined || (await store.passphrase()) === undefined) return false;
  if (!(await agrees(asked.question))) return false;
  const answer = await withPassphrase(async (passphrase) => {
    const outcome = await answerRequest(store, asked, 'approve', passphrase, Date.now());
    return outcome.kind === 'answered' ? 'approved' : problemOf(outcome);
  });
  return answer === 'approved';
}

async function agrees(message: string): Promise<boolean> {
  redrawLine(process.stderr);
  await printError(`${message}\n\n`);
  return (await readLine('Allow this call? [y/N] ', process.stdin, process.stderr)) === 'y';
}

async function readLine(question: string, input: Readable, output: Writable): Promise<string> {
  const lines = createInterface({ input, output, terminal: true });
  try {
    return (await lines.question(question)).trim().toLowerCase().slice(0, 1);
  } finally {
    lines.close();
  }
}

/** Asks for the passphrase until it is correct. Cancelling the prompt does not approve the call. */
async function withPassphrase(
  attempt: (passphrase: string) => Promise<'approved' | string>,
): Promise<Answer> {
  try {
    for (let question = 'Approval passphrase'; ; ) {
      const outcome = await attempt(await askSecret(question, process.stderr));
      if (outcome === 'approved') return 'approved';
      question = `${outcome}. Approval passphrase`;
    }
  } catch (error) {
    if (error instanceof PromptCancelled) return 'cancelled';
    throw error;
  }
}

function problemOf(outcome: { readonly kind: string; readonly ms?: number }): string {
  return outcome.kind === 'wait'
    ? `Too many attempts: wait ${Math.ceil((outcome.ms ?? 0) / 1000)} s`
    : 'Wrong passphrase';
}
