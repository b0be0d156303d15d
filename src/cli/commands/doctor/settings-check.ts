import { addressesOf } from '../../../config/address-formats.ts';
import { currentEnvironment } from '../../../config/host-environment.ts';
import { type LoadInput, loadConfig } from '../../../config/load.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { resolveSshTargets } from '../../../config/ssh-target.ts';
import { AppError, nextStep } from '../../../lib/errors.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import { CHECKS, type Check } from './check.ts';
import { directoryVariables, entryRemedy } from './dropped-variables.ts';

/** The result of the settings check, with what the other checks need. */
export interface ExaminedSettings {
  readonly checks: readonly Check[];
  readonly found:
    | { readonly config: Config; readonly target: SshTarget; readonly standby: readonly SshTarget[] }
    | undefined;
  /** The server would not start with these settings. */
  readonly invalid: boolean;
  /** The configuration file in use. */
  readonly file: string | undefined;
}

/** Loads the settings as the server does. Missing consent is reported, but the other checks run without it. */
export function examineSettings(input: LoadInput): ExaminedSettings {
  const asServed = loadConfig(input);
  const errors = asServed.ok ? [] : asServed.errors;
  const loaded = asServed.ok ? asServed : loadConfig({ ...input, fallbacks: { acceptRisks: 'true' } });
  const checks: Check[] = errors.map(({ problem, remedy }) => found('fail', `${problem}.`, remedy));
  for (const warning of asServed.warnings) checks.push(found('warn', asSentence(warning)));
  if (!loaded.ok) return { checks, found: undefined, invalid: true, file: asServed.file };
  const notes: string[] = [];
  let target: SshTarget;
  let standby: readonly SshTarget[];
  try {
    [target, ...standby] = resolveSshTargets(loaded.config, currentEnvironment(), (note) => notes.push(note));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { message, code } = error;
    return {
      checks: [...checks, { ...found('fail', message, nextStep(error, 'person')), code }],
      found: undefined,
      invalid: errors.length > 0,
      file: loaded.file,
    };
  }
  for (const note of notes) checks.push(found('warn', asSentence(note)));
  for (const dropped of directoryVariables(loaded.config, target, currentEnvironment())) {
    const { name, value, effect } = dropped;
    checks.push(
      found(
        'warn',
        `${name} is ${value}, and MCP clients do not pass it on. Without it, a server ${effect}.`,
        `For a server that a client starts, ${entryRemedy(dropped)}.`,
      ),
    );
  }
  if (errors.length === 0) checks.unshift(found('ok', describe(loaded.config, target, loaded.file)));
  return {
    checks,
    found: { config: loaded.config, target, standby },
    invalid: errors.length > 0,
    file: loaded.file,
  };
}

/** A warning may be a question. */
function asSentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

function found(verdict: Check['verdict'], detail: string, remedy?: string): Check {
  return {
    id: 'configuration',
    title: CHECKS.configuration,
    verdict,
    detail,
    ...(remedy === undefined ? {} : { remedy }),
  };
}

function describe(config: Config, target: SshTarget, file: string | undefined): string {
  const where = `${target.username}@${target.host} port ${target.port}`;
  const alias = addressesOf(config.host).some(({ host }) => host === target.host) ? '' : `${config.host} is `;
  const through = target.jumps.map(({ host }) => ` through ${host}`).join('');
  const level = config.readOnly
    ? 'read-only'
    : config.enableHostExec
      ? 'containers and host'
      : 'containers, not the host';
  const from = file === undefined ? 'no configuration file' : `from ${file}`;
  return `${alias}${where}${through}; ${level}; ${from}`;
}
