import { answerRequest, type Outcome, tryPassphrase } from '../../../governance/approval/answer-request.ts';
import { type ApprovalRequest, ApprovalStore } from '../../../governance/approval/request-store.ts';
import { visible } from '../../../lib/visible.ts';
import type { Request } from '../../commands.ts';
import { askSecret, PromptCancelled } from '../../output/ask.ts';
import { print, printError } from '../../output/output.ts';
import { settingsFor } from '../../settings.ts';
import { UsageError } from '../../usage-error.ts';
import { askNewPassphrase } from './new-passphrase.ts';

/** `proxmox-mcp approvals …`: calls that wait for a person, and the person's answers. */
export async function approvals({ input, args, options }: Request): Promise<void> {
  const config = settingsFor({ ...input, fallbacks: { host: 'unused', acceptRisks: 'true' } });
  if (config === undefined) return;
  const store = new ApprovalStore(config.stateDir);
  const [action = 'list', id] = args;
  try {
    if (action === 'list') await list(store, options.json === 'true');
    else if (action === 'passphrase') await setPassphrase(store);
    else if (action === 'approve' || action === 'deny') await answer(store, action, id);
    else throw new UsageError(`unknown: '${action}'; list, approve ID, deny ID or passphrase`);
  } catch (error) {
    if (error instanceof PromptCancelled) process.exitCode = 130;
    else if (error instanceof UsageError) {
      await printError(`proxmox-mcp: ${error.message}\n`);
      process.exitCode = 2;
    } else throw error;
  }
}

async function list(store: ApprovalStore, json: boolean): Promise<void> {
  const waiting = await waitingIn(store);
  if (json) return print(`${JSON.stringify(waiting, null, 2)}\n`);
  if (waiting.length === 0) return print('No call waits for an approval.\n');
  await print(waiting.map(shown).join('\n'));
}

/** Those that have no answer and are not too old for one. */
async function waitingIn(store: ApprovalStore): Promise<ApprovalRequest[]> {
  const all = await store.list();
  const open = await Promise.all(
    all.map(async (each) => {
      const over = Date.now() - each.askedAt >= each.ttlMs;
      return over || (await store.answerTo(each.id)) !== undefined ? [] : [each];
    }),
  );
  return open.flat();
}

function shown({ id, question, askedAt, ttlMs }: ApprovalRequest): string {
  const left = Math.max(0, Math.round((askedAt + ttlMs - Date.now()) / 1000));
  const lines = visible(question).split('\n');
  return `${id.slice(0, 8)}  waits for another ${left} s\n\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`;
}

async function answer(
  store: ApprovalStore,
  verdict: 'approve' | 'deny',
  id: string | undefined,
): Promise<void> {
  if (id === undefined || !/^[0-9a-f]{4,32}$/.test(id)) {
    throw new UsageError(`${verdict} which? \`proxmox-mcp approvals\` lists their ids`);
  }
  const [asked, ...others] = (await waitingIn(store)).filter((each) => each.id.startsWith(id));
  if (asked === undefined) throw new UsageError(`no call waits under the id ${id}`);
  if (others.length > 0) throw new UsageError(`${id} is the beginning of several ids`);
  if ((await store.passphrase()) === undefined) throw new UsageError(told({ kind: 'no passphrase set' }));
  await print(`${shown(asked)}\n`);
  const passphrase = await secret(`Passphrase to ${verdict} it`);
  const outcome = await answerRequest(store, asked, verdict, passphrase, Date.now());
  if (outcome.kind !== 'answered') throw new UsageError(told(outcome));
  const next = 'The same call, made again, is let through once.';
  await print(verdict === 'approve' ? `Approved. ${next}\n` : 'Denied.\n');
}

async function setPassphrase(store: ApprovalStore): Promise<void> {
  if ((await store.passphrase()) !== undefined) {
    const old = await secret('The passphrase so far');
    const outcome = await tryPassphrase(store, old, '', Date.now());
    if (typeof outcome !== 'string') throw new UsageError(told(outcome));
  }
  requireTerminal();
  await askNewPassphrase(store, 'New passphrase');
  await print('Passphrase set. Only a verifier is stored, not the passphrase.\n');
}

/** Typed by a person at a terminal: an argument, a variable or a pipe could be filled by whoever calls the tools. */
async function secret(message: string): Promise<string> {
  requireTerminal();
  return askSecret(message);
}

function requireTerminal(): void {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    throw new UsageError('answers are typed at a terminal; stdin or stdout is none');
  }
}

function told(outcome: Exclude<Outcome, { kind: 'answered' }>): string {
  switch (outcome.kind) {
    case 'no passphrase set':
      return 'set a passphrase first: proxmox-mcp approvals passphrase';
    case 'wrong passphrase':
      return 'that is not the passphrase; nothing was answered';
    case 'wait':
      return `too many wrong passphrases: try again in ${Math.ceil(outcome.ms / 1000)} s`;
  }
}
