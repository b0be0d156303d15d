import type { HostEnvironment } from '../../../config/host-environment.ts';
import type { Fault } from '../../../config/sources.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { AppError } from '../../../lib/errors.ts';
import { makeKeyPair } from '../../../lib/key-pair.ts';
import type { SeenHostKey } from '../../../ssh/host-keys.ts';
import type { Request } from '../../commands.ts';
import { faultsText, wantsColour } from '../../output/config-errors.ts';
import { print, styleFor, textWidth } from '../../output/output.ts';
import type { Check } from '../doctor/check.ts';
import { checkText } from '../doctor/doctor-text.ts';
import { examine } from '../doctor/examine.ts';
import { readIfThere } from './changes.ts';
import { entryEnvironment } from './entry-environment.ts';
import type { Values } from './env-file.ts';
import { type InitOptions, ownLaunch } from './init-options.ts';
import { changeText } from './init-text.ts';
import { freeKeyFile } from './key-file.ts';
import { ConfirmedKeys } from './pin-host-key.ts';
import { carryOut, type Plan } from './setup.ts';
import { envFileIn, planChanges } from './setup-plan.ts';
import { absolutePaths, configFrom, gatherValues, levelOf, levelValues, policyValues } from './values.ts';

/** `init --yes`: everything is said by options and environment. Returns the exit code. */
export async function initUnattended(
  { input }: Request,
  options: InitOptions,
  at: HostEnvironment,
  signal: AbortSignal,
): Promise<number> {
  const before = await readIfThere(envFileIn(options.dir, at));
  const gathered = gatherValues(input, before, at);
  const faults = missing(gathered, options);
  const policy = gathered.SSH_HOST_KEY_POLICY;
  const level = options.level ?? levelOf(gathered);
  const wished: Values = {
    ...gathered,
    ...(level === undefined ? {} : { ...levelValues(level), ...policyValues(level, gathered) }),
  };
  const loaded = configFrom(wished, at);
  if (!loaded.ok || faults.length > 0) {
    const all = [...(loaded.ok ? [] : loaded.faults), ...faults];
    process.stderr.write(faultsText(all, wantsColour(process.stderr), 'proxmox-mcp init cannot begin'));
    return 2;
  }
  const hostKeys = await ConfirmedKeys.create();
  try {
    const target = resolveSshTarget(loaded.config, at);
    const trusted = (seen: SeenHostKey) =>
      options.fingerprints.includes(seen.fingerprint) || policy === 'accept-new' || policy === 'insecure';
    await hostKeys
      .confirmAll(target, async (seen) => trusted(seen), signal)
      .catch((error: unknown) => {
        throw withFingerprintHint(error);
      });
    const confirmed = hostKeys.apply(target);
    if (!(await works(loaded.config, confirmed, hostKeys, signal))) return 1;
    const newKey = options.createKey
      ? { pair: await makeKeyPair(`proxmox-mcp@${at.username}`), file: freeKeyFile(at) }
      : undefined;
    const values = { ...absolutePaths(wished, at), ...afterwards(policy, newKey?.file) };
    const clients = options.clients ?? [];
    const launch = { ...ownLaunch(at), env: await entryEnvironment(loaded.config, at) };
    const changes = await planChanges({ values, dir: options.dir, clients, launch }, at);
    const style = styleFor(wantsColour(process.stdout));
    for (const change of changes) await print(`\n${changeText(change, style)}\n`);
    if (options.dryRun) {
      await print('\n--dry-run: nothing was written.\n');
      return 0;
    }
    const plan: Plan = { changes, hostKeys, target: confirmed, newKey };
    const { steps } = await carryOut(plan, signal);
    await print(
      `\n${[...steps, ...(changes.length === 0 ? ['nothing else had to change'] : [])].map((step) => `✓ ${step}`).join('\n')}\n`,
    );
    return 0;
  } finally {
    await hostKeys.dispose();
  }
}

/** What cannot be guessed and nobody is there to be asked. */
function missing(values: Values, { level, createKey }: InitOptions): Fault[] {
  const faults: Fault[] = [];
  if (level === undefined && levelOf(values) === undefined) {
    faults.push({
      name: '--level',
      problem: '--level is not given',
      remedy: 'Say how much the assistant may do: --level read-only, containers or host.',
    });
  }
  if (createKey && values.SSH_PASSWORD === undefined && values.SSH_PASSWORD_FILE === undefined) {
    faults.push({
      name: 'SSH_PASSWORD',
      problem: '--create-key needs the password once, to install the key',
      remedy: 'Set SSH_PASSWORD or SSH_PASSWORD_FILE in the environment; it is not written anywhere.',
    });
  }
  return faults;
}

/** What holds once everything is done: the key is pinned, and a new key takes the place of the password. */
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
  const style = styleFor(wantsColour(process.stdout));
  const show = (check: Check) => {
    if (check.verdict === 'skipped') return;
    const told = { ...check, detail: hostKeys.retell(check.detail) };
    process.stdout.write(checkText(told, style, textWidth(process.stdout)));
  };
  const checks = await examine({ config, target, signal, report: show });
  signal.throwIfAborted();
  const failed = checks.filter(({ verdict }) => verdict === 'fail');
  if (failed.length === 0) return true;
  process.stderr.write('\nproxmox-mcp init: nothing was written, because the test failed (✗).\n');
  return false;
}

function withFingerprintHint(error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'HOST_KEY_UNKNOWN') return error;
  const offered = /SHA256:[A-Za-z0-9+/]+/.exec(error.message)?.[0] ?? 'SHA256:…';
  return new AppError(
    error.code,
    error.message,
    `Compare that with the output of "ssh-keygen -lf" on the .pub files in /etc/ssh on the host itself; if it is there, add --fingerprint ${offered}. Or trust whoever answers now: --ssh-host-key-policy accept-new.`,
  );
}
