import * as clack from '@clack/prompts';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { isSet } from '../../../config/sources.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { AppError } from '../../../lib/errors.ts';
import { makeKeyPair } from '../../../lib/key-pair.ts';
import { VERSION } from '../../../lib/version.ts';
import type { SeenHostKey } from '../../../ssh/host-keys.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import type { Request } from '../../commands.ts';
import { askYesNo, PromptCancelled } from '../../output/ask.ts';
import { DISCLAIMER, wantsColour } from '../../output/config-errors.ts';
import { styleFor, textWidth } from '../../output/output.ts';
import type { Check } from '../doctor/check.ts';
import { CHECKS } from '../doctor/check.ts';
import { checkText } from '../doctor/doctor-text.ts';
import { examine } from '../doctor/examine.ts';
import { hostKeyFile } from '../doctor/login-check.ts';
import { readIfThere } from './changes.ts';
import { clientApps } from './clients.ts';
import type { Values } from './env-file.ts';
import { type InitOptions, ownLaunch } from './init-options.ts';
import { changeText } from './init-text.ts';
import { freeKeyFile } from './key-file.ts';
import { ConfirmedKeys } from './pin-host-key.ts';
import { askClients, askDir, askLevel, askLogin, askPolicy, askServer, askSudo } from './questions.ts';
import { carryOut } from './setup.ts';
import { envFileIn, planChanges } from './setup-plan.ts';
import { afterwards } from './unattended.ts';
import { absolutePaths, configFrom, gatherValues, levelOf, levelValues, policyValues } from './values.ts';

interface Talk {
  readonly options: InitOptions;
  readonly at: HostEnvironment;
  readonly signal: AbortSignal;
  readonly hostKeys: ConfirmedKeys;
}

/** `init` with questions. Returns the exit code. Writes nothing before the last of them is answered. */
export async function initInteractive(
  { input }: Request,
  options: InitOptions,
  at: HostEnvironment,
  signal: AbortSignal,
): Promise<number> {
  clack.intro(`proxmox-mcp ${VERSION}: setting up`);
  const hostKeys = await ConfirmedKeys.create();
  try {
    const before = await readIfThere(envFileIn(options.dir, at));
    return await converse({ options, at, signal, hostKeys }, gatherValues(input, before, at));
  } catch (error) {
    if (!(error instanceof PromptCancelled) && !signal.aborted) throw error;
    clack.cancel('Cancelled. Nothing was changed.');
    return 130;
  } finally {
    await hostKeys.dispose();
  }
}

async function converse(talk: Talk, gathered: Values): Promise<number> {
  const { options, at, hostKeys, signal } = talk;
  clack.log.warn(DISCLAIMER.trim());
  if (!(await askYesNo('Do you accept that?', false))) throw new PromptCancelled();
  const server = await reach(talk, { ...gathered, I_ACCEPT_RISKS: 'true' });
  const { values: tried, config, createKey } = await logIn(talk, server);
  const level = options.level ?? (await askLevel(levelOf(gathered)));
  const policy =
    level === 'read-only' || isSet(gathered.POLICY_FILE) ? undefined : await askPolicy(gathered.POLICY);
  const dir = await askDir(options.dir, at);
  const clients = options.clients ?? (await askClients(dir, at));

  const target = hostKeys.apply(resolveSshTarget(config, at));
  const newKey = createKey
    ? { pair: await makeKeyPair(`proxmox-mcp@${at.username}`), file: freeKeyFile(at) }
    : undefined;
  const values = {
    ...absolutePaths({ ...tried, ...levelValues(level), ...policyValues(level, gathered, policy) }, at),
    ...afterwards(gathered.SSH_HOST_KEY_POLICY, newKey?.file),
  };
  const changes = await planChanges({ values, dir, clients, launch: ownLaunch(at) }, at);
  const style = styleFor(wantsColour(process.stdout));
  if (newKey) clack.log.step(`A new key, ${newKey.file}, let in for ${target.username}@${target.host}`);
  for (const change of changes) clack.log.step(changeText(change, style));
  if (!(await askYesNo('Do all of this?', true))) throw new PromptCancelled();
  const { steps } = await carryOut({ changes, hostKeys, target, newKey }, signal);
  clack.log.success(steps.join('\n'));
  const titles = clientApps(at, dir).filter(({ id }) => clients.includes(id));
  const restart = titles.map(({ title }) => title).join(', ');
  clack.outro(
    restart === ''
      ? `Done. A client starts it with: --env-file ${envFileIn(dir, at)}`
      : `Done. Restart ${restart} and ask for your containers.`,
  );
  return 0;
}

/** Asks for a server until one is reached whose host key is right. */
async function reach(talk: Talk, start: Values): Promise<Values> {
  for (let values = start; ; ) {
    values = await askServer(values, talk.at);
    const loaded = configFrom(values, talk.at);
    if (!loaded.ok) {
      clack.log.error(loaded.faults.map(({ problem, remedy }) => `${problem}. ${remedy}`).join('\n'));
    } else {
      try {
        const target = resolveSshTarget(loaded.config, talk.at);
        await talk.hostKeys.confirmAll(target, confirmHostKey, talk.signal);
        return values;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (error.code === 'HOST_KEY_UNKNOWN') throw new PromptCancelled();
        clack.log.error(`${error.message}\n${error.hint}`);
      }
    }
    if (!(await askYesNo('Try again?', true))) throw new PromptCancelled();
  }
}

async function confirmHostKey(seen: SeenHostKey, server: SshTarget): Promise<boolean> {
  clack.log.message(
    `${server.host} shows its host key for the first time:\n  ${seen.type}\n  ${seen.fingerprint}\nOn its console, or in the shell of its web interface, this prints the same if nobody is in between:\n  ssh-keygen -lf ${hostKeyFile(seen.type)}`,
  );
  return askYesNo('Is it the same, and shall it be pinned?', false);
}

/** Asks for a login until one passes the doctor, or is wanted in spite of what he says. */
async function logIn(
  talk: Talk,
  server: Values,
): Promise<{ readonly values: Values; readonly config: Config; readonly createKey: boolean }> {
  for (;;) {
    const base = configFrom(server, talk.at);
    if (!base.ok) throw new Error(base.faults.map(({ problem }) => problem).join('; '));
    const { username, host } = resolveSshTarget(base.config, talk.at);
    const login = await askLogin(base.config, `${username}@${host}`, talk.at);
    const values = { ...server, ...login.values, ...(await askSudo(username)) };
    const loaded = configFrom(values, talk.at);
    if (!loaded.ok) {
      clack.log.error(loaded.faults.map(({ problem, remedy }) => `${problem}. ${remedy}`).join('\n'));
      continue;
    }
    const checks = await test(talk, loaded.config);
    const failed = checks.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id);
    const answer = { values, config: loaded.config, createKey: login.createKey };
    if (failed.length === 0) return answer;
    const loggedIn = checks.some(({ id, verdict }) => id === 'login' && verdict === 'ok');
    if (loggedIn && (await askYesNo('Go on in spite of that?', false))) return answer;
    if (!(await askYesNo('Try another way to log in?', true))) throw new PromptCancelled();
  }
}

async function test({ hostKeys, at, signal }: Talk, config: Config): Promise<readonly Check[]> {
  const style = styleFor(wantsColour(process.stdout));
  const width = textWidth(process.stdout) - 3;
  const spinner = clack.spinner();
  const lines: string[] = [];
  spinner.start('Testing');
  const checks = await examine({
    config,
    target: hostKeys.apply(resolveSshTarget(config, at)),
    signal,
    begin: (id) => spinner.message(`Testing: ${CHECKS[id]}`),
    report: (check) => {
      if (check.verdict === 'skipped') return;
      lines.push(checkText({ ...check, detail: hostKeys.retell(check.detail) }, style, width).trimEnd());
    },
  });
  signal.throwIfAborted();
  const failed = checks.some(({ verdict }) => verdict === 'fail');
  spinner.stop(failed ? 'Tested: there is a problem (✗)' : 'Tested: it works');
  clack.log.message(lines.join('\n'));
  return checks;
}
