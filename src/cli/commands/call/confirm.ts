import { createInterface } from 'node:readline/promises';
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

/**
 * Asks for confirmation at the terminal: y/N, and the approval passphrase if one is set.
 * @param limitMs for both answers: as long as an approval request is valid
 */
export function terminalElicitation(stateDir: string, limitMs: number): InlineElicitation {
  return {
    kind: 'inline',
    ask: async (message) => {
      const limit = AbortSignal.timeout(limitMs);
      const answer = await agrees(message, limit);
      if (answer !== 'approved') return answer;
      const store = new ApprovalStore(stateDir);
      if ((await store.passphrase()) === undefined) return 'approved';
      return withPassphrase(limit, async (passphrase) => {
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
  const limit = AbortSignal.timeout(Math.max(0, asked.askedAt + asked.ttlMs - Date.now()));
  if ((await agrees(asked.question, limit)) !== 'approved') return false;
  const answer = await withPassphrase(limit, async (passphrase) => {
    const outcome = await answerRequest(store, asked, 'approve', passphrase, Date.now());
    return outcome.kind === 'answered' ? 'approved' : problemOf(outcome);
  });
  return answer === 'approved';
}

async function agrees(message: string, limit: AbortSignal): Promise<Answer> {
  redrawLine(process.stderr);
  await printError(`${message}\n\n`);
  const line = await readLine('Allow this call? [y/N] ', limit);
  if (limit.aborted) return silent();
  if (line === undefined) return 'cancelled';
  return line.trim().toLowerCase().startsWith('y') ? 'approved' : 'declined';
}

/** A line from the terminal; undefined after Ctrl-C, at the end of the input, or when the limit is reached. */
async function readLine(question: string, limit: AbortSignal): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: true });
  // In raw mode Ctrl-C is only a key. Without these listeners, a closed interface leaves the question open forever.
  lines.once('SIGINT', () => {
    lines.close();
    process.kill(process.pid, 'SIGINT');
  });
  const closed = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)));
  try {
    return await Promise.race([lines.question(question, { signal: limit }).catch(() => undefined), closed]);
  } finally {
    lines.close();
  }
}

/** Asks for the passphrase until it is correct. Cancelling the prompt does not approve the call. */
async function withPassphrase(
  limit: AbortSignal,
  attempt: (passphrase: string) => Promise<'approved' | string>,
): Promise<Answer> {
  try {
    for (let question = 'Approval passphrase'; ; ) {
      const outcome = await attempt(await askSecret(question, { output: process.stderr, signal: limit }));
      if (outcome === 'approved') return 'approved';
      question = `${outcome}. Approval passphrase`;
    }
  } catch (error) {
    if (!(error instanceof PromptCancelled)) throw error;
    return limit.aborted ? silent() : 'cancelled';
  }
}

async function silent(): Promise<'silent'> {
  await printError('\nThere was no answer before the request expired (APPROVAL_TTL).\n');
  return 'silent';
}

function problemOf(outcome: { readonly kind: string; readonly ms?: number }): string {
  return outcome.kind === 'wait'
    ? `Too many attempts: wait ${Math.ceil((outcome.ms ?? 0) / 1000)} s`
    : 'Wrong passphrase';
}
