import type * as z from 'zod/v4';
import { CONFIG_VARIABLE, findConfigFile } from './config-file.ts';
import { contradictions } from './cross-field-validation.ts';
import { currentSurroundings, type HostEnvironment } from './host-environment.ts';
import { hostNotes, hostSetBy } from './node-name.ts';
import { isQuoted } from './quoted.ts';
import { RETIRED, retiredNotes } from './retired-settings.ts';
import type { Setting } from './setting.ts';
import { type Config, configSchema, listSettings } from './settings-schema.ts';
import {
  environmentSource,
  type Fault,
  type Flags,
  type Found,
  findIn,
  isSet,
  type Source,
} from './sources.ts';
import { isSlip, nearMiss } from './suggest-setting.ts';

export type LoadResult = (
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly Fault[] }
) & {
  readonly warnings: readonly string[];
  /** The configuration file that was read, absolute; undefined if there is none. */
  readonly file: string | undefined;
};

/** Whoever relies on a record must learn here that there is none. */
const EXEC_METHOD_IGNORED =
  'EXEC_METHOD is ignored: commands always enter containers by lxc-attach. Remove the setting.';
const UNRECORDED = 'AUDIT=false: NOTHING that is done through this server is put on record';

export interface LoadInput {
  readonly flags?: Flags;
  /** What `--config` (or `--env-file`) named. */
  readonly envFile?: string | undefined;
  /** Reads no configuration file at all. */
  readonly ignoreFiles?: boolean;
  /** Text for settings that are set nowhere, by property, in place of the defaults that serving has. */
  readonly fallbacks?: Flags;
}

/**
 * Options, then the environment, then the configuration file, then defaults. Finds every fault before it gives up, so that
 * nobody has to start it once per mistake.
 */
export function loadConfig(input: LoadInput = {}, at: HostEnvironment = currentSurroundings()): LoadResult {
  const faults: Fault[] = [];
  const warnings: string[] = [];
  const report = {
    fault: (fault: Fault) => void faults.push(fault),
    warn: (warning: string) => void warnings.push(warning),
  };
  const flags = input.flags ?? {};
  const environment = environmentSource(at);
  const named = isSet(input.envFile) ? input.envFile : at.env[CONFIG_VARIABLE];
  const query = { named, hostFrom: hostSetBy(flags, environment) };
  const file = input.ignoreFiles === true ? undefined : findConfigFile(query, at, report);
  const sources = file === undefined ? [environment] : [environment, file];

  const schema = configSchema(at);
  const settings = listSettings(schema);
  const found = new Map<string, Found>();
  for (const setting of settings) {
    const value = findFlag(flags, setting) ?? findFirst(sources, setting, at, report.fault);
    if (value !== undefined) found.set(setting.property, value);
  }
  if (found.has('policy') && found.has('policyFile')) report.fault(POLICY_TWICE);
  const slips = nearMisses(sources, settings, found);
  faults.push(...slips.flatMap(({ fault }) => fault ?? []));
  warnings.push(...slips.flatMap(({ warning }) => warning ?? []), ...quotedSecrets(settings, at));
  warnings.push(...retiredNotes(flags, sources), ...hostNotes(found.get('host'), environment, file));
  const told = { warnings, file: file?.file };

  const raw = settings.map(({ property, default: preset }) => [
    property,
    found.get(property)?.value ?? input.fallbacks?.[property] ?? preset,
  ]);
  const parsed = schema.safeParse(Object.fromEntries(raw));
  if (parsed.success) {
    const filesRead = [...sources, ...found.values()].flatMap(({ file }) => file ?? []);
    const config = { ...parsed.data, filesRead };
    faults.push(...contradictions(config));
    if (faults.length > 0) return { ok: false, faults, ...told };
    if (!config.audit) warnings.push(UNRECORDED);
    if (config.execMethod !== 'auto') warnings.push(EXEC_METHOD_IGNORED);
    return { ok: true, config, ...told };
  }
  for (const issue of parsed.error.issues) {
    const setting = settings.find(({ property }) => property === issue.path[0]);
    if (setting === undefined) throw parsed.error;
    faults.push(toFault(issue, setting, found.get(setting.property)));
  }
  return { ok: false, faults, ...told };
}

/** Which of them holds would have to be guessed. */
const POLICY_TWICE: Fault = {
  name: 'POLICY',
  problem: 'POLICY and POLICY_FILE are both set',
  remedy: 'Keep POLICY_FILE, and name the preset in the file: `extends: careful`.',
};

function findFlag(flags: Flags, { property, flag }: Setting): Found | undefined {
  const value = flags[property];
  return isSet(value) ? { value: value.trim(), name: `--${flag}`, label: 'command line' } : undefined;
}

function findFirst(
  sources: readonly Source[],
  setting: Setting,
  at: HostEnvironment,
  fault: (fault: Fault) => void,
): Found | undefined {
  let failed = false;
  const fail = (told: Fault): void => {
    failed = true;
    fault(told);
  };
  // The name counts more than the source: HOST in the environment may come from the shell.
  for (const name of [setting.name, ...(setting.aliases ?? [])]) {
    for (const source of sources) {
      const found = findIn(source, setting, at, fail, name);
      if (found !== undefined || failed) return found;
    }
  }
  return undefined;
}

function toFault(issue: z.core.$ZodIssue, setting: Setting, found: Found | undefined): Fault {
  const { name, example, secret, default: preset, defaultText = preset } = setting;
  const told = issue.code === 'custom' ? issue.params?.remedy : undefined;
  const remedy = typeof told === 'string' ? told : undefined;
  if (found === undefined) {
    const problem = `${name} is not set`;
    const steps = setting.property === 'host' ? 'Run `proxmox-mcp init` to set it up, or set it' : 'Set it';
    return { name, problem, remedy: remedy ?? `${steps}, for example ${name}=${example}.` };
  }
  // A long value may be a key in the wrong place; an odd one could play tricks on the terminal.
  const shown = secret !== true && /^[ -~]{1,40}$/.test(found.value) ? `=${found.value}` : '';
  const otherwise = !defaultText ? '' : `, or leave it out for ${defaultText}`;
  return {
    name: found.name,
    problem: `${found.name}${shown} (${found.label}) ${issue.message}`,
    remedy: remedy ?? `For example ${name}=${example}${otherwise}.`,
  };
}

/** What was taken off may, once in a lifetime, have been part of it. */
function quotedSecrets(settings: readonly Setting[], at: HostEnvironment): string[] {
  return settings
    .filter(({ name, secret }) => secret === true && isQuoted(at.env[name]))
    .map(
      ({ name }) =>
        `${name} (environment) stands in quotes, which are not taken for a part of it; if they are, use ${name}_FILE`,
    );
}

interface Slip {
  readonly warning?: string;
  readonly fault?: Fault;
}

/**
 * Names that look like a slip of one of ours, unless the right one is there as well. A setting that was meant to restrict must
 * not be ignored: such a slip is a fault.
 */
function nearMisses(
  sources: readonly Source[],
  settings: readonly Setting[],
  found: ReadonlyMap<string, Found>,
): readonly Slip[] {
  const known = settings.flatMap(({ name, secret, aliases = [] }) =>
    secret === true ? [name, `${name}_FILE`] : [name, ...aliases],
  );
  const retired = RETIRED.map(({ name }) => name);
  const given = new Set([...found.values()].map(({ name }) => name));
  return sources.flatMap(({ label, names }) =>
    names.flatMap((name): readonly Slip[] => {
      const meant = retired.includes(name) ? undefined : nearMiss(name, known);
      if (meant === undefined || given.has(meant)) return [];
      const restricts =
        settings.some((setting) => setting.name === meant && setting.restricts === true) &&
        isSlip(name, meant);
      if (!restricts)
        return [{ warning: `${name} (${label}) is not a setting and is ignored: did you mean ${meant}?` }];
      const problem = `${name} (${label}) is not a setting`;
      return [{ fault: { name, problem, remedy: `Did you mean ${meant}? Rename it, or remove it.` } }];
    }),
  );
}
