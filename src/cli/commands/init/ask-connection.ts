import * as clack from '@clack/prompts';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { isSet } from '../../../config/sources.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { AppError, nextStep } from '../../../lib/errors.ts';
import type { SeenHostKey } from '../../../ssh/host-keys.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import type { Request } from '../../command.ts';
import { askYesNo, PromptCancelled } from '../../output/ask.ts';
import { wantsColor } from '../../output/config-errors.ts';
import { styleFor, textWidth } from '../../output/output.ts';
import { CHECKS, type Check, type CheckId } from '../doctor/check.ts';
import { checkText } from '../doctor/doctor-text.ts';
import { examine } from '../doctor/examine.ts';
import { hostKeyFile } from '../doctor/login-check.ts';
import { whileBusy } from './busy-line.ts';
import type { Values } from './env-file.ts';
import type { InitOptions } from './init-options.ts';
import type { ConfirmedKeys } from './pin-host-key.ts';
import { askLogin, askServer, type LoginAnswer } from './questions.ts';
import { say } from './say.ts';
import { configFrom, isAnswered } from './setting-values.ts';

/** One run of `init` with questions. */
export interface Dialogue {
  readonly request: Request;
  readonly options: InitOptions;
  readonly at: HostEnvironment;
  readonly signal: AbortSignal;
  readonly hostKeys: ConfirmedKeys;
}

/** Asks for a server until one can be reached and its host key is confirmed. */
export async function askReachableServer(dialogue: Dialogue, start: Values): Promise<Values> {
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
        (connect) => whileBusy(`Connecting to ${target.host} port ${target.port}`, connect),
      );
      return values;
    } catch (error) {
      // A cancelled attempt fails like any other.
      dialogue.signal.throwIfAborted();
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
export async function askWorkingLogin(
  dialogue: Dialogue,
  server: Values,
): Promise<{ readonly values: Values; readonly config: Config; readonly createKey: boolean }> {
  const { at, options, request } = dialogue;
  const names = ['SSH_KEY', 'SSH_PASSWORD', 'SSH_PASSWORD_FILE'];
  let answered =
    isAnswered(request.input, 'sshKey', names, at) &&
    (!options.createKey || isSet(server.SSH_PASSWORD) || isSet(server.SSH_PASSWORD_FILE));
  let present = answered ? undefined : presentLogin(server);
  for (;;) {
    const base = configFrom(server, at);
    // The login in the options or variables may be invalid. The answer replaces it.
    if (!base.ok && answered) say('error', base.errors.map(({ problem }) => `${problem}.`).join('\n'));
    const login: LoginAnswer =
      base.ok && answered
        ? { values: {}, createKey: options.createKey }
        : await askLogin(...(await loginSubject(server, at)), present, at);
    answered = false;
    present = undefined;
    const values = { ...server, ...login.values };
    const loaded = configFrom(values, at);
    if (!loaded.ok) {
      say('error', loaded.errors.map(({ problem, remedy }) => `${problem}. ${remedy}`).join('\n'));
      continue;
    }
    const checks = await testConnection(dialogue, loaded.config);
    const answer = { values, config: loaded.config, createKey: login.createKey };
    if (checks.every(({ verdict }) => verdict !== 'fail')) return answer;
    const loggedIn = checks.some(({ id, verdict }) => id === 'login' && verdict === 'ok');
    if (loggedIn && (await askYesNo('Continue anyway?', false))) return answer;
  }
}

/** The login in the configuration file; undefined if there is none. */
function presentLogin({
  SSH_KEY,
  SSH_KEY_PASSPHRASE,
  SSH_KEY_PASSPHRASE_FILE,
  SSH_PASSWORD,
  SSH_PASSWORD_FILE,
}: Values): Values | undefined {
  const login = { SSH_KEY, SSH_KEY_PASSPHRASE, SSH_KEY_PASSPHRASE_FILE, SSH_PASSWORD, SSH_PASSWORD_FILE };
  return [SSH_KEY, SSH_PASSWORD, SSH_PASSWORD_FILE].some(isSet) ? login : undefined;
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

async function testConnection({ hostKeys, at, signal }: Dialogue, config: Config): Promise<readonly Check[]> {
  const style = styleFor(wantsColor(process.stdout));
  const width = textWidth(process.stdout) - 3;
  const lines: string[] = [];
  const checks = await whileBusy('Testing the connection', (show) =>
    examine({
      config,
      target: hostKeys.apply(resolveSshTarget(config, at)),
      signal,
      begin: (id) => show(`Testing: ${CHECKS[id]}`),
      report: (check) => {
        if (check.verdict === 'skipped' || (check.verdict === 'ok' && !SHOWN.has(check.id))) return;
        lines.push(checkText({ ...check, detail: hostKeys.retell(check.detail) }, style, width).trimEnd());
      },
    }),
  );
  signal.throwIfAborted();
  const failed = checks.some(({ verdict }) => verdict === 'fail');
  if (failed) clack.log.error('The test failed (✗)');
  else clack.log.step('The test passed');
  clack.log.message(lines.join('\n'));
  return checks;
}
