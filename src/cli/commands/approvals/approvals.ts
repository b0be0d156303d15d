import { answerRequest, type Outcome, tryPassphrase } from '../../../governance/approval/answer-request.ts';
import { type ApprovalRequest, ApprovalStore } from '../../../governance/approval/request-store.ts';
import { formatDuration } from '../../../lib/duration.ts';
import { visible } from '../../../lib/visible.ts';
import type { Request } from '../../command.ts';
import { askSecret, PromptCancelled } from '../../output/ask.ts';
import { print } from '../../output/output.ts';
import { settingsFor } from '../../settings.ts';
import { reportUsageError, UsageError } from '../../usage-error.ts';
import { askNewPassphrase } from './new-passphrase.ts';

/** `proxmox-mcp approvals …`: lists, approves and denies pending calls, and sets the passphrase. */
export async function approvals({ input, args, options }: Request): Promise<void> {
  const config = settingsFor({ ...input, fallbacks: { host: 'unused', acceptRisks: 'true' } });
  if (config === undefined) return;
  const store = new ApprovalStore(config.stateDir);
  const [action = 'list', id] = args;
  try {
    if (action === 'list') await list(store, options.json === 'true');
    else if (action === 'passphrase') await setPassphrase(store);
    else if (action === 'approve' || action === 'deny') await answer(store, action, id);
    else throw new UsageError(`unknown action '${action}': use list, approve ID, deny ID or passphrase`);
  } catch (error) {
    if (error instanceof PromptCancelled) process.exitCode = 130;
    else await reportUsageError(error, 'approvals');
  }
}

async function list(store: ApprovalStore, json: boolean): Promise<void> {
  const pending = await pendingIn(store);
  if (json) return print(`${JSON.stringify(pending, null, 2)}\n`);
  if (pending.length === 0) return print('No calls are waiting for approval.\n');
  await print(
    `${pending.map(requestText).join('\n')}\nTo answer: proxmox-mcp approvals approve ID, or deny ID\n`,
  );
}

/** The requests that are neither answered nor expired. */
async function pendingIn(store: ApprovalStore): Promise<ApprovalRequest[]> {
  const all = await store.list();
  const open = await Promise.all(
    all.map(async (each) => {
      const expired = Date.now() - each.askedAt >= each.ttlMs;
      return expired || (await store.answerTo(each.id)) !== undefined ? [] : [each];
    }),
  );
  return open.flat();
}

function requestText({ id, question, askedAt, ttlMs }: ApprovalRequest): string {
  const left = formatDuration(Math.max(0, askedAt + ttlMs - Date.now()));
  const lines = visible(question).split('\n');
  return `${id.slice(0, 8)}  expires in ${left}\n\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`;
}

async function answer(
  store: ApprovalStore,
  verdict: 'approve' | 'deny',
  id: string | undefined,
): Promise<void> {
  if (id === undefined || !/^[0-9a-f]{4,32}$/.test(id)) {
    throw new UsageError(`${verdict} needs the ID of a call; list them with \`proxmox-mcp approvals\``);
  }
  const [asked, ...others] = (await pendingIn(store)).filter((each) => each.id.startsWith(id));
  if (asked === undefined) throw new UsageError(`no pending call has the ID ${id}`);
  if (others.length > 0) throw new UsageError(`several pending calls have an ID that begins with ${id}`);
  if ((await store.passphrase()) === undefined)
    throw new UsageError(problemOf({ kind: 'no passphrase set' }));
  await print(`${requestText(asked)}\n`);
  await untilCorrect(`Passphrase to ${verdict} this call`, async (passphrase) => {
    const outcome = await answerRequest(store, asked, verdict, passphrase, Date.now());
    return outcome.kind === 'answered' ? undefined : outcome;
  });
  const next = 'The same call is allowed once when it is made again.';
  await print(verdict === 'approve' ? `Approved. ${next}\n` : 'Denied.\n');
}

async function setPassphrase(store: ApprovalStore): Promise<void> {
  if ((await store.passphrase()) !== undefined) {
    await untilCorrect('Current passphrase', async (passphrase) => {
      const outcome = await tryPassphrase(store, passphrase, '', Date.now());
      return typeof outcome === 'string' ? undefined : outcome;
    });
  }
  requireTerminal();
  await askNewPassphrase(store, 'New passphrase');
  await print('Passphrase set. Only a verifier is stored, not the passphrase.\n');
}

type Refused = Exclude<Outcome, { kind: 'answered' }>;

/**
 * Asks for a passphrase until `attempt` accepts it. It is read from the terminal: an assistant could fill an argument, a variable
 * or a pipe, and so approve its own call. @throws UsageError, PromptCancelled
 */
async function untilCorrect(
  message: string,
  attempt: (passphrase: string) => Promise<Refused | undefined>,
): Promise<void> {
  requireTerminal();
  for (let question = message; ; question = `Wrong passphrase. ${message}`) {
    const refused = await attempt(await askSecret(question));
    if (refused === undefined) return;
    // If the program ended here, a second attempt would be typed into the shell.
    if (refused.kind !== 'wrong passphrase') throw new UsageError(problemOf(refused));
  }
}

function requireTerminal(): void {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    throw new UsageError('the passphrase must be typed at a terminal, but stdin or stdout is not one');
  }
}

function problemOf(outcome: Exclude<Refused, { kind: 'wrong passphrase' }>): string {
  switch (outcome.kind) {
    case 'no passphrase set':
      return 'set a passphrase first: proxmox-mcp approvals passphrase';
    case 'wait':
      return `too many wrong passphrases: try again in ${formatDuration(Math.ceil(outcome.ms / 1000) * 1000)}`;
  }
}
