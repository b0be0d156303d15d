import * as clack from '@clack/prompts';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { ApprovalStore } from '../../../governance/approval/request-store.ts';
import { makeKeyPair } from '../../../lib/key-pair.ts';
import { VERSION } from '../../../lib/version.ts';
import type { Request } from '../../command.ts';
import { askYesNo, PromptCancelled } from '../../output/ask.ts';
import { DISCLAIMER, wantsColor } from '../../output/config-errors.ts';
import { styleFor } from '../../output/output.ts';
import { askNewPassphrase } from '../approvals/new-passphrase.ts';
import { askReachableServer, askWorkingLogin, type Dialogue } from './ask-connection.ts';
import { whileBusy } from './busy-line.ts';
import { readIfThere } from './changes.ts';
import { UnreadableConfig } from './client-config.ts';
import type { ClientApp } from './clients.ts';
import { entryEnvironment } from './entry-environment.ts';
import type { Values } from './env-file.ts';
import { nextSteps, SELF_TEST_CANCELLED, selfTestFailed, silentClientsNote, testEntry } from './finish.ts';
import { appendJournal } from './init-journal.ts';
import type { InitOptions } from './init-options.ts';
import { changeText } from './init-text.ts';
import { clientsHere } from './installed-clients.ts';
import { freeKeyFile } from './key-file.ts';
import { type Launch, ownLaunch } from './launch.ts';
import { ConfirmedKeys } from './pin-host-key.ts';
import { askClients, askSafety } from './questions.ts';
import { say, wrapped } from './say.ts';
import {
  type ApprovalPlan,
  absolutePaths,
  approvalPlan,
  gatherValues,
  isTrue,
  levelOf,
  levelValues,
  oldNames,
  policyValues,
  transferValues,
} from './setting-values.ts';
import { carryOut } from './setup.ts';
import { effective, type PlannedChanges, planChanges, type Wanted } from './setup-plan.ts';
import { afterwards } from './unattended.ts';

/** `init` with questions. Writes nothing until the last one is answered. @returns the exit code */
export async function initInteractive(
  request: Request,
  options: InitOptions,
  at: HostEnvironment,
  signal: AbortSignal,
): Promise<number> {
  clack.intro(`proxmox-mcp ${VERSION}: set-up`);
  const hostKeys = await ConfirmedKeys.create();
  try {
    const before = await readIfThere(options.configFile);
    const gathered = gatherValues(request.input, before, at);
    return await converse({ request, options, at, signal, hostKeys }, gathered);
  } catch (error) {
    if (!(error instanceof PromptCancelled) && !signal.aborted) throw error;
    clack.cancel('Cancelled. Nothing was changed.');
    return 130;
  } finally {
    await hostKeys.dispose();
  }
}

async function converse(dialogue: Dialogue, gathered: Values): Promise<number> {
  const { options, at, hostKeys, signal } = dialogue;
  const { configFile } = options;
  if (!isTrue(gathered.I_ACCEPT_RISKS)) {
    say('warn', DISCLAIMER);
    if (!(await askYesNo('Do you accept these risks?', false))) throw new PromptCancelled();
  }
  const server = await askReachableServer(dialogue, { ...gathered, I_ACCEPT_RISKS: 'true' });
  const { values: tried, config, createKey } = await askWorkingLogin(dialogue, server);
  const { level, policy = gathered.POLICY } =
    options.level === undefined
      ? await askSafety(levelOf(gathered), gathered.POLICY)
      : { level: options.level };

  const target = hostKeys.apply(resolveSshTarget(config, at));
  const newKey = createKey
    ? { pair: await makeKeyPair(`proxmox-mcp@${at.username}`), file: freeKeyFile(at) }
    : undefined;
  const governed = policyValues(level, gathered, policy);
  const transfers = transferValues(level, tried, at);
  const launch = { ...ownLaunch(at), env: await entryEnvironment(config, at) };
  const { apps, approvals, changes } = await askChanges(dialogue, (chosen) => {
    const approvals = approvalPlan(level, governed.POLICY, chosen);
    const values = {
      ...oldNames(),
      ...absolutePaths(
        { ...tried, ...levelValues(level), ...governed, ...approvals.values, ...transfers },
        at,
      ),
      ...afterwards(gathered.SSH_HOST_KEY_POLICY, newKey?.file),
    };
    return { approvals, wanted: { values, configFile, clients: chosen, launch } };
  });
  const plan = { changes, hostKeys, target, newKey, transferDir: transfers.TRANSFER_DIRS };
  const { summary, steps } = await whileBusy('Writing the configuration', () => carryOut(plan, signal));
  await appendJournal(steps, at);
  const style = styleFor(wantsColor(process.stdout));
  for (const change of effective(changes)) clack.log.step(changeText(change, style));
  const done =
    summary.length === 0 ? ['Nothing to change: all settings and entries are as chosen.'] : summary;
  clack.log.success(done.map((line) => wrapped(line)).join('\n'));
  return await finish(dialogue, apps, { launch, silent: approvals.silent, stateDir: config.stateDir });
}

/** Asks for the clients until the file of each can be changed. @throws UnreadableConfig if they are an option */
async function askChanges(
  { options, at }: Dialogue,
  plan: (apps: readonly ClientApp[]) => { readonly approvals: ApprovalPlan; readonly wanted: Wanted },
): Promise<{
  readonly apps: readonly ClientApp[];
  readonly approvals: ApprovalPlan;
  readonly changes: PlannedChanges;
}> {
  for (;;) {
    const chosen = options.clients ?? (await askClients(at));
    const apps = clientsHere(at).filter(({ id }) => chosen.includes(id));
    const { approvals, wanted } = plan(apps);
    try {
      return { apps, approvals, changes: await planChanges(wanted) };
    } catch (error) {
      if (!(error instanceof UnreadableConfig) || options.clients !== undefined) throw error;
      say('error', error.message);
    }
  }
}

/** Runs the self-test and prints the next steps. */
async function finish(
  { options: { configFile, exec }, at, signal }: Dialogue,
  apps: readonly ClientApp[],
  {
    launch,
    silent,
    stateDir,
  }: { readonly launch: Launch; readonly silent: readonly string[]; readonly stateDir: string },
): Promise<number> {
  const note = silentClientsNote(silent);
  if (note !== undefined) {
    say('info', note);
    const store = new ApprovalStore(stateDir);
    if ((await store.passphrase()) === undefined) await offerPassphrase(store);
  }
  const tested = await whileBusy('Self-test: starting the server as a client does', () =>
    testEntry({ apps, configFile, launch, exec }, at, signal),
  );
  if (signal.aborted) {
    say('warn', SELF_TEST_CANCELLED);
    return 130;
  }
  if (!tested.ok) {
    say('error', selfTestFailed(tested.problem));
    return 1;
  }
  clack.log.step(`Self-test passed: ${tested.summary.join(', ')}`);
  const [last = '', ...before] = [...nextSteps(apps)].reverse();
  for (const line of before.reverse()) say('message', line);
  clack.outro(last.trim());
  return 0;
}

/** Asks for the approval passphrase. Cancelling this question does not undo the set-up. */
async function offerPassphrase(store: ApprovalStore): Promise<void> {
  try {
    await askNewPassphrase(store, 'Approval passphrase (Ctrl-C: set it later)');
  } catch (error) {
    if (!(error instanceof PromptCancelled)) throw error;
    say('info', 'Set it later with `proxmox-mcp approvals passphrase`.');
  }
}
