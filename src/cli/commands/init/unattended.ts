import type { HostEnvironment } from '../../../config/host-environment.ts';
import type { ConfigError } from '../../../config/sources.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { AppError } from '../../../lib/errors.ts';
import { makeKeyPair } from '../../../lib/key-pair.ts';
import type { SeenHostKey } from '../../../ssh/host-keys.ts';
import type { Request } from '../../command.ts';
import { configErrorsText, wantsColor } from '../../output/config-errors.ts';
import { print, styleFor, textWidth } from '../../output/output.ts';
import type { Check } from '../doctor/check.ts';
import { checkText } from '../doctor/doctor-text.ts';
import { examine } from '../doctor/examine.ts';
import { readIfThere } from './changes.ts';
import { entryEnvironment } from './entry-environment.ts';
import type { Values } from './env-file.ts';
import { nextSteps, selfTestFailed, silentClientsNote, testEntry } from './finish.ts';
import { appendJournal } from './init-journal.ts';
import type { InitOptions } from './init-options.ts';
import { changeText } from './init-text.ts';
import { clientsHere } from './installed-clients.ts';
import { freeKeyFile } from './key-file.ts';
import { ownLaunch } from './launch.ts';
import { ConfirmedKeys } from './pin-host-key.ts';
import {
  absolutePaths,
  approvalPlan,
  configFrom,
  gatherValues,
  levelOf,
  levelValues,
  oldNames,
  policyValues,
  transferValues,
} from './setting-values.ts';
import { carryOut, type Plan } from './setup.ts';
import { effective, planChanges } from './setup-plan.ts';

/** `init --yes`: options and variables instead of questions. @returns the exit code */
export async function initUnattended(
  { input }: Request,
  options: InitOptions,
  at: HostEnvironment,
  signal: AbortSignal,
): Promise<number> {
  const { configFile, server = {} } = options;
  const before = await readIfThere(configFile);
  const gathered: Values = { ...gatherValues(input, before, at), ...given(server) };
  const errors = missing(gathered, options);
  const trust = gathered.SSH_HOST_KEY_POLICY;
  const level = options.level ?? levelOf(gathered);
  const apps = clientsHere(at).filter(({ id }) => options.clients?.includes(id));
  const approvals =
    level === undefined ? undefined : approvalPlan(level, policyValues(level, gathered).POLICY, apps);
  const wanted: Values = {
    ...approvals?.values,
    ...gathered,
    ...(level === undefined ? {} : { ...levelValues(level), ...policyValues(level, gathered) }),
  };
  const loaded = configFrom(wanted, at);
  if (!loaded.ok || level === undefined || errors.length > 0) {
    const all = [...(loaded.ok ? [] : loaded.errors), ...errors];
    process.stderr.write(configErrorsText(all, wantsColor(process.stderr), 'proxmox-mcp init'));
    return 2;
  }
  const hostKeys = await ConfirmedKeys.create();
  try {
    const target = resolveSshTarget(loaded.config, at);
    const trusted = (seen: SeenHostKey) =>
      options.fingerprints.includes(seen.fingerprint) || trust === 'accept-new' || trust === 'insecure';
    await hostKeys
      .confirmAll(target, async (seen) => trusted(seen), signal)
      .catch((error: unknown) => {
        throw withFingerprintHint(error, options.fingerprints);
      });
    const confirmed = hostKeys.apply(target);
    if (!(await works(loaded.config, confirmed, hostKeys, signal))) return 1;
    const newKey = options.createKey
      ? { pair: await makeKeyPair(`proxmox-mcp@${at.username}`), file: freeKeyFile(at) }
      : undefined;
    const transfers = transferValues(level, wanted, at);
    const values = {
      ...oldNames(),
      ...absolutePaths({ ...wanted, ...transfers }, at),
      ...afterwards(trust, newKey?.file),
    };
    const launch = { ...ownLaunch(at), env: await entryEnvironment(loaded.config, at) };
    const changes = await planChanges({ values, configFile, clients: apps, launch });
    const style = styleFor(wantsColor(process.stdout));
    for (const change of effective(changes)) await print(`\n${changeText(change, style)}\n`);
    if (options.dryRun) {
      await print('\n--dry-run: nothing was written.\n');
      return 0;
    }
    const plan: Plan = { changes, hostKeys, target: confirmed, newKey, transferDir: transfers.TRANSFER_DIRS };
    const { summary, steps } = await carryOut(plan, signal);
    await appendJournal(steps, at);
    const more = effective(changes).length === 0 ? ['nothing else to change'] : [];
    await print(`\n${[...summary, ...more].map((line) => `✓ ${line}`).join('\n')}\n`);
    const tested = await testEntry({ apps, configFile, launch, exec: options.exec }, at, signal);
    if (!tested.ok) {
      process.stderr.write(`\n${selfTestFailed(tested.problem)}\n`);
      return 1;
    }
    await print(`✓ self-test passed: ${tested.summary.join(', ')}\n`);
    const note = silentClientsNote(approvals?.silent ?? []);
    await print(`\n${[...(note === undefined ? [] : [note]), ...nextSteps(apps)].join('\n')}\n`);
    return 0;
  } finally {
    await hostKeys.dispose();
  }
}

/** The values that are set. */
function given(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** The errors for missing values that have no default. */
function missing(values: Values, { level, createKey }: InitOptions): ConfigError[] {
  const errors: ConfigError[] = [];
  if (level === undefined && levelOf(values) === undefined) {
    errors.push({
      name: '--level',
      problem: '--level is missing',
      remedy: 'Set the permissions of the assistant: --level read-only, containers or host.',
    });
  }
  if (createKey && values.SSH_PASSWORD === undefined && values.SSH_PASSWORD_FILE === undefined) {
    errors.push({
      name: 'SSH_PASSWORD',
      problem: '--create-key needs the password once, to install the key',
      remedy: 'Set the variable SSH_PASSWORD or SSH_PASSWORD_FILE. It is not written to any file.',
    });
  }
  return errors;
}

/** The settings after a set-up: the host key is pinned, and a new key replaces the password. */
export function afterwards(policy: string | undefined, keyFile: string | undefined): Values {
  return {
    SSH_HOST_KEY_POLICY: policy ?? 'strict',
    ...(keyFile === undefined
      ? {}
      : {
          SSH_KEY: keyFile,
          SSH_PASSWORD: undefined,
          SSH_PASSWORD_FILE: undefined,
          SSH_KEY_PASSPHRASE: undefined,
          SSH_KEY_PASSPHRASE_FILE: undefined,
        }),
  };
}

async function works(
  config: Parameters<typeof examine>[0]['config'],
  target: Parameters<typeof examine>[0]['target'],
  hostKeys: ConfirmedKeys,
  signal: AbortSignal,
): Promise<boolean> {
  const style = styleFor(wantsColor(process.stdout));
  const show = (check: Check) => {
    if (check.verdict === 'skipped') return;
    const shown = { ...check, detail: hostKeys.retell(check.detail) };
    process.stdout.write(checkText(shown, style, textWidth(process.stdout)));
  };
  const checks = await examine({ config, target, signal, report: show });
  signal.throwIfAborted();
  const failed = checks.filter(({ verdict }) => verdict === 'fail');
  if (failed.length === 0) return true;
  process.stderr.write('\nproxmox-mcp init: nothing was written, because the test failed (✗).\n');
  return false;
}

function withFingerprintHint(error: unknown, expected: readonly string[]): unknown {
  if (!(error instanceof AppError) || error.code !== 'HOST_KEY_UNKNOWN') return error;
  const offered = /SHA256:[A-Za-z0-9+/]+/.exec(error.message)?.[0] ?? 'SHA256:…';
  const compare =
    'Compare it with the output of "ssh-keygen -lf" for the .pub files in /etc/ssh, on the console of the node itself';
  // Trust only the expected fingerprint: a different one means a wrong server or an attack.
  if (expected.length > 0) {
    return new AppError(
      error.code,
      `${error.message} --fingerprint expects ${expected.join(', ')}.`,
      `${compare}. Do not trust the offered key unless it is printed there. Check host and port.`,
    );
  }
  return new AppError(
    error.code,
    error.message,
    `${compare}. If it matches, add --fingerprint ${offered}. Or skip the check and trust this key: --ssh-host-key-policy accept-new.`,
  );
}
