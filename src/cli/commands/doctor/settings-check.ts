import { currentSurroundings } from '../../../config/host-environment.ts';
import { type LoadInput, loadConfig } from '../../../config/load.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { resolveSshTarget } from '../../../config/ssh-target.ts';
import { AppError, nextStep } from '../../../lib/errors.ts';
import type { SshTarget } from '../../../ssh/ssh-types.ts';
import { CHECKS, type Check } from './check.ts';
import { directoryVariables, entryRemedy } from './dropped-variables.ts';

/** The settings as a patient: what is found, and what the other checks need if that is there. */
export interface ExaminedSettings {
  readonly checks: readonly Check[];
  readonly found: { readonly config: Config; readonly target: SshTarget } | undefined;
  /** Serving would refuse to start. */
  readonly faulty: boolean;
  /** The configuration file that was read. */
  readonly file: string | undefined;
}

/** Reads the settings as serving does. Consent is told when it is missing, but nothing here needs it. */
export function examineSettings(input: LoadInput): ExaminedSettings {
  const asServed = loadConfig(input);
  const faults = asServed.ok ? [] : asServed.faults;
  const loaded = asServed.ok ? asServed : loadConfig({ ...input, fallbacks: { acceptRisks: 'true' } });
  const checks: Check[] = faults.map(({ problem, remedy }) => found('fail', `${problem}.`, remedy));
  for (const warning of asServed.warnings) checks.push(found('warn', `${warning}.`));
  if (!loaded.ok) return { checks, found: undefined, faulty: true, file: asServed.file };
  const notes: string[] = [];
  let target: SshTarget;
  try {
    target = resolveSshTarget(loaded.config, currentSurroundings(), (note) => notes.push(note));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { message, code } = error;
    return {
      checks: [...checks, { ...found('fail', message, nextStep(error, 'person')), code }],
      found: undefined,
      faulty: faults.length > 0,
      file: loaded.file,
    };
  }
  for (const note of notes) checks.push(found('warn', `${note}.`));
  for (const dropped of directoryVariables(loaded.config, target, currentSurroundings())) {
    const { name, value, effect } = dropped;
    checks.push(
      found(
        'warn',
        `${name} is ${value}, and MCP clients do not pass it on. Without it, a server ${effect}.`,
        `For a server that a client starts, ${entryRemedy(dropped)}.`,
      ),
    );
  }
  if (faults.length === 0) checks.unshift(found('ok', describe(loaded.config, target, loaded.file)));
  return { checks, found: { config: loaded.config, target }, faulty: faults.length > 0, file: loaded.file };
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
  const alias = config.host === target.host ? '' : `${config.host} is `;
  const through = target.jumps.map(({ host }) => ` through ${host}`).join('');
  const level = config.readOnly
    ? 'read-only'
    : config.enableHostExec
      ? 'containers and host'
      : 'containers, not the host';
  const from = file === undefined ? 'no configuration file' : `from ${file}`;
  return `${alias}${where}${through}; ${level}; ${from}`;
}
