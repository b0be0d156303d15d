import * as clack from '@clack/prompts';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { isSet } from '../../../config/sources.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { ApprovalStore } from '../../../governance/approval/request-store.ts';
import { AppError, nextStep } from '../../../lib/errors.ts';
import { makeKeyPair } from '../../../lib/key-pair.ts';
import { VERSION } from '../../../lib/version.ts';
import type { SeenHostKey } from '../../../ssh/host-keys.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import type { Request } from '../../command.ts';
import { askYesNo, PromptCancelled } from '../../output/ask.ts';
import { DISCLAIMER, wantsColor } from '../../output/config-errors.ts';
import { styleFor, textWidth, wrapText } from '../../output/output.ts';
import { askNewPassphrase } from '../approvals/new-passphrase.ts';
import { CHECKS, type Check, type CheckId } from '../doctor/check.ts';
import { checkText } from '../doctor/doctor-text.ts';
import { examine } from '../doctor/examine.ts';
import { hostKeyFile } from '../doctor/login-check.ts';
import { readIfThere } from './changes.ts';
import type { ClientApp } from './clients.ts';
import { entryEnvironment } from './entry-environment.ts';
import type { Values } from './env-file.ts';
import { nextSteps, selfTestFailed, silentClientsNote, testEntry } from './finish.ts';
import { appendJournal } from './init-journal.ts';
import type { InitOptions } from './init-options.ts';
import { changeText } from './init-text.ts';
import { clientsHere } from './installed-clients.ts';
import { freeKeyFile } from './key-file.ts';
import { type Launch, ownLaunch } from './launch.ts';
import { ConfirmedKeys } from './pin-host-key.ts';
import { askClients, askLogin, askSafety, askServer, type LoginAnswer } from './questions.ts';
import {
  absolutePaths,
  approvalPlan,
  configFrom,
  gatherValues,
  isAnswered,
  levelOf,
  levelValues,
  oldNames,
  policyValues,
  transferValues,
} from './setting-values.ts';
import { carryOut } from './setup.ts';
import { effective, planChanges } from './setup-plan.ts';
import { afterwards } from './unattended.ts';

interface Dialogue {
  readonly request: Request;
  readonly options: InitOptions;
  readonly at: HostEnvironment;
  readonly signal: AbortSignal;
  readonly hostKeys: ConfirmedKeys;
}

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
  if (!isAnswered(dialogue.request.input, 'acceptRisks', ['I_ACCEPT_RISKS'], at)) {
    say('warn', DISCLAIMER);
    if (!(await askYesNo('Do you accept these risks?', false))) throw new PromptCancelled();
  }
  const server = await reach(dialogue, { ...gathered, I_ACCEPT_RISKS: 'true' });
  const { values: tried, config, createKey } = await logIn(dialogue, server);
  const { level, policy = gathered.POLICY } =
    options.level === undefined ? await askSafety(levelOf(gathered)) : { level: options.level };
  const chosen = options.clients ?? (await askClients(at));
  const apps = clientsHere(at).filter(({ id }) => chosen.includes(id));

  const target = hostKeys.apply(resolveSshTarget(config, at));
  const newKey = createKey
    ? { pair: await makeKeyPair(`proxmox-mcp@${at.username}`), file: freeKeyFile(at) }
    : undefined;
  const governed = policyValues(level, gathered, policy);
  const approvals = approvalPlan(level, governed.POLICY, apps);
  const transfers = transferValues(level, tried, at);
  const values = {
    ...oldNames(),
    ...absolutePaths({ ...tried, ...levelValues(level), ...governed, ...approvals.values, ...transfers }, at),
    ...afterwards(gathered.SSH_HOST_KEY_POLICY, newKey?.file),
  };
  const launch = { ...ownLaunch(at), env: await entryEnvironment(config, at) };
  const changes = await planChanges({ values, configFile, clients: apps, launch });
  const plan = { changes, hostKeys, target, newKey, transferDir: transfers.TRANSFER_DIRS };
  const { summary, steps } = await carryOut(plan, signal);
  await appendJournal(steps, at);
  const style = styleFor(wantsColor(process.stdout));
  for (const change of effective(changes)) clack.log.step(changeText(change, style));
  clack.log.success(summary.map((line) => wrapped(line)).join('\n'));
  return await finish(dialogue, apps, { launch, silent: approvals.silent, stateDir: config.stateDir });
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
  const spinner = clack.spinner();
  spinner.start('Self-test: starting the server as a client does');
  const tested = await testEntry({ apps, configFile, launch, exec }, at, signal);
  if (!tested.ok) {
    spinner.error('Self-test failed');
    say('error', selfTestFailed(tested.problem));
    return 1;
  }
  spinner.stop(`Self-test passed: ${tested.summary.join(', ')}`);
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

/** Asks for a server until one can be reached and its host key is confirmed. */
async function reach(dialogue: Dialogue, start: Values): Promise<Values> {
  const { options, request, at } = dialogue;
  let values = { ...start, ...options.server };
  let answered = options.server !== undefined || isAnswered(request.input, 'host', ['PROXMOX_HOST'], at);
  for (;;) {
    if (!answered) values = await askServer(values, at);
    answered = false;
    const loaded = configFrom(values, at);
    if (!loaded.ok) {
      say('error', loaded.errors.map(({ problem, remedy }) => `${problem}. ${remedy}`).join('\n'));
      continue;
    }
    try {
      const target = resolveSshTarget(loaded.config, at);
      await dialogue.hostKeys.confirmAll(
        target,
        (seen, each) => confirmHostKey(dialogue, seen, each),
        dialogue.signal,
      );
      return values;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'HOST_KEY_UNKNOWN') throw new PromptCancelled();
      say('error', `${error.message}\n${nextStep(error, 'person')}`);
    }
  }
}

/** Question 2: the fingerprint of the host key. */
async function confirmHostKey({ options }: Dialogue, seen: SeenHostKey, server: SshTarget): Promise<boolean> {
  if (options.fingerprints.includes(seen.fingerprint)) return true;
  say(
    'message',
    `Host key of ${server.host} (not seen before):\n  ${seen.type} ${seen.fingerprint}\nTo verify it, run this on the node's console or in the shell of its web interface. The output must match:`,
  );
  clack.log.message(`  ssh-keygen -lf ${hostKeyFile(seen.type)}`);
  return askYesNo('Does the fingerprint match? (Yes trusts and saves this key)', false);
}

/** Asks for a login until one passes the tests, or the user continues anyway. */
async function logIn(
  dialogue: Dialogue,
  server: Values,
): Promise<{ readonly values: Values; readonly config: Config; readonly createKey: boolean }> {
  const { at, options, request } = dialogue;
  const names = ['SSH_KEY', 'SSH_PASSWORD', 'SSH_PASSWORD_FILE'];
  let answered =
    isAnswered(request.input, 'sshKey', names, at) &&
    (!options.createKey || isSet(server.SSH_PASSWORD) || isSet(server.SSH_PASSWORD_FILE));
  for (;;) {
    const base = configFrom(server, at);
    // The login in the options or variables may be invalid. The answer replaces it.
    if (!base.ok && answered) say('error', base.errors.map(({ problem }) => `${problem}.`).join('\n'));
    const login: LoginAnswer =
      base.ok && answered
        ? { values: {}, createKey: options.createKey }
        : await askLogin(...(await loginSubject(server, at)), at);
    answered = false;
    const values = { ...server, ...login.values };
    const loaded = configFrom(values, at);
    if (!loaded.ok) {
      say('error', loaded.errors.map(({ problem, remedy }) => `${problem}. ${remedy}`).join('\n'));
      continue;
    }
    const checks = await test(dialogue, loaded.config);
    const answer = { values, config: loaded.config, createKey: login.createKey };
    if (checks.every(({ verdict }) => verdict !== 'fail')) return answer;
    const loggedIn = checks.some(({ id, verdict }) => id === 'login' && verdict === 'ok');
    if (loggedIn && (await askYesNo('Continue anyway?', false))) return answer;
  }
}

/** The settings without a login, and `user@host`. */
async function loginSubject(server: Values, at: HostEnvironment): Promise<[Config, string]> {
  const { SSH_KEY: _, SSH_KEY_PASSPHRASE: __, SSH_PASSWORD: ___, ...bare } = server;
  const loaded = configFrom(bare, at);
  if (!loaded.ok) throw new Error(loaded.errors.map(({ problem }) => problem).join('; '));
  const { username, host } = resolveSshTarget(loaded.config, at);
  return [loaded.config, `${username}@${host}`];
}

/** Checks that are also shown when they pass. */
const SHOWN: ReadonlySet<CheckId> = new Set<CheckId>(['login', 'proxmox', 'containers', 'exec']);

async function test({ hostKeys, at, signal }: Dialogue, config: Config): Promise<readonly Check[]> {
  const style = styleFor(wantsColor(process.stdout));
  const width = textWidth(process.stdout) - 3;
  const spinner = clack.spinner();
  const lines: string[] = [];
  spinner.start('Testing the connection');
  const checks = await examine({
    config,
    target: hostKeys.apply(resolveSshTarget(config, at)),
    signal,
    begin: (id) => spinner.message(`Testing: ${CHECKS[id]}`),
    report: (check) => {
      if (check.verdict === 'skipped' || (check.verdict === 'ok' && !SHOWN.has(check.id))) return;
      lines.push(checkText({ ...check, detail: hostKeys.retell(check.detail) }, style, width).trimEnd());
    },
  });
  signal.throwIfAborted();
  const failed = checks.some(({ verdict }) => verdict === 'fail');
  spinner.stop(failed ? 'The test failed (✗)' : 'The test passed');
  clack.log.message(lines.join('\n'));
  return checks;
}

/** Prints prose, wrapped to the terminal and the margin that clack draws. */
function say(kind: 'warn' | 'error' | 'info' | 'message', text: string): void {
  clack.log[kind](wrapped(text));
}

function wrapped(text: string): string {
  const width = textWidth(process.stdout) - 3;
  return text
    .split('\n')
    .flatMap((line) => wrapText(line, width))
    .join('\n');
}
