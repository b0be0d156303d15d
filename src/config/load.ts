import type * as z from 'zod/v4';
import { CONFIG_VARIABLE, defaultConfigFile, findConfigFile } from './config-file.ts';
import { crossFieldErrors } from './cross-field-validation.ts';
import { currentEnvironment, type HostEnvironment, isProxmoxNode } from './host-environment.ts';
import { hostNotes, hostSetBy } from './node-name.ts';
import { isQuoted } from './quoted.ts';
import { RETIRED, retiredNotes } from './retired-settings.ts';
import type { Setting } from './setting.ts';
import { type Config, configSchema, listSettings } from './settings-schema.ts';
import {
  type ConfigError,
  environmentSource,
  type Flags,
  type Found,
  findIn,
  isSet,
  type Source,
} from './sources.ts';
import { isMisspelled, nearMiss } from './suggest-setting.ts';

export type LoadResult = (
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly errors: readonly ConfigError[] }
) & {
  readonly warnings: readonly string[];
  /** Absolute path of the configuration file; undefined if there is none. */
  readonly file: string | undefined;
};

const EXEC_METHOD_IGNORED =
  'EXEC_METHOD is ignored: commands always enter containers by lxc-attach. Remove the setting.';
/** Warns operators who rely on the audit log. */
const NOT_LOGGED = 'AUDIT=false: NOTHING that is done through this server is logged';

const HOST_EXEC_ON_NODE =
  'ENABLE_HOST_EXEC=true on a Proxmox VE node itself: host commands can read the tokens, keys and settings of this server, and change its audit log. Run the server on another machine';

export interface LoadInput {
  readonly flags?: Flags;
  /** The value of `--config` (or `--env-file`). */
  readonly envFile?: string | undefined;
  /** Ignores all configuration files. */
  readonly ignoreFiles?: boolean;
  /** Defaults for this command, by property, which replace those of the server. */
  readonly fallbacks?: Flags;
}

/**
 * Loads the settings. Precedence: options, environment, configuration file, defaults. Reports all errors at once.
 */
export function loadConfig(input: LoadInput = {}, at: HostEnvironment = currentEnvironment()): LoadResult {
  const errors: ConfigError[] = [];
  const warnings: string[] = [];
  const report = {
    addError: (error: ConfigError) => void errors.push(error),
    warn: (warning: string) => void warnings.push(warning),
  };
  const flags = input.flags ?? {};
  const environment = environmentSource(at);
  const named = isSet(input.envFile) ? input.envFile : at.env[CONFIG_VARIABLE];
  const query = { named, hostFrom: hostSetBy(flags, environment) };
  const file = input.ignoreFiles === true ? undefined : findConfigFile(query, at, report);
  const sources = file === undefined ? [environment] : [environment, file];
  const isFileUnreadable = errors.length > 0;

  const schema = configSchema(at);
  const settings = listSettings(schema);
  const found = new Map<string, Found>();
  for (const setting of settings) {
    const value = findFlag(flags, setting) ?? findFirst(sources, setting, at, report.addError);
    if (value !== undefined) found.set(setting.property, value);
  }
  if (found.has('policy') && found.has('policyFile')) report.addError(POLICY_TWICE);
  const misspelled = misspelledNames(sources, settings, found, defaultConfigFile(at));
  errors.push(...misspelled.flatMap(({ error }) => error ?? []));
  warnings.push(...misspelled.flatMap(({ warning }) => warning ?? []), ...quotedSecrets(settings, at));
  warnings.push(...retiredNotes(flags, sources), ...hostNotes(found.get('host'), environment, file));
  const common = { warnings, file: file?.file };

  const raw = settings.map(({ property, default: preset }) => [
    property,
    found.get(property)?.value ?? input.fallbacks?.[property] ?? preset,
  ]);
  const parsed = schema.safeParse(Object.fromEntries(raw));
  if (parsed.success) {
    const filesRead = [...sources, ...found.values()].flatMap(({ file }) => file ?? []);
    const config = { ...parsed.data, filesRead };
    errors.push(...crossFieldErrors(config));
    if (errors.length > 0) return { ok: false, errors, ...common };
    if (!config.audit) warnings.push(NOT_LOGGED);
    if (config.enableHostExec && isProxmoxNode(at)) warnings.push(HOST_EXEC_ON_NODE);
    if (config.execMethod !== 'auto') warnings.push(EXEC_METHOD_IGNORED);
    return { ok: true, config, ...common };
  }
  // The error about the node comes first: if it is not set, nothing is set up, and its remedy is `init`.
  const isAboutNode = ({ path }: z.core.$ZodIssue) => Number(path[0] === 'host');
  const issues = [...parsed.error.issues].sort((one, other) => isAboutNode(other) - isAboutNode(one));
  for (const issue of issues) {
    const setting = settings.find(({ property }) => property === issue.path[0]);
    if (setting === undefined) throw parsed.error;
    // The setting may be in the file.
    if (isFileUnreadable && !found.has(setting.property)) continue;
    errors.push(toConfigError(issue, setting, found.get(setting.property)));
  }
  return { ok: false, errors, ...common };
}

/** It would be unclear which of the two applies. */
const POLICY_TWICE: ConfigError = {
  name: 'POLICY',
  problem: 'POLICY and POLICY_FILE are both set',
  remedy: 'Keep POLICY_FILE, and extend the preset in the file: `extends: careful`.',
};

function findFlag(flags: Flags, { property, flag }: Setting): Found | undefined {
  const value = flags[property];
  return isSet(value) ? { value: value.trim(), name: `--${flag}`, label: 'command line' } : undefined;
}

function findFirst(
  sources: readonly Source[],
  setting: Setting,
  at: HostEnvironment,
  addError: (error: ConfigError) => void,
): Found | undefined {
  let failed = false;
  const fail = (problem: ConfigError): void => {
    failed = true;
    addError(problem);
  };
  // A new name in any source takes precedence over an old one: HOST in the environment may come from the shell.
  for (const name of [setting.name, ...(setting.aliases ?? [])]) {
    for (const source of sources) {
      const found = findIn(source, setting, at, fail, name);
      if (found !== undefined || failed) return found;
    }
  }
  return undefined;
}

function toConfigError(issue: z.core.$ZodIssue, setting: Setting, found: Found | undefined): ConfigError {
  const { name, example, secret, default: preset, defaultText = preset } = setting;
  const custom = issue.code === 'custom' ? issue.params?.remedy : undefined;
  const remedy = typeof custom === 'string' ? custom : undefined;
  if (found === undefined) {
    const problem = `${name} is not set`;
    const steps = setting.property === 'host' ? 'Run `proxmox-mcp init` to set it up, or set it' : 'Set it';
    return { name, problem, remedy: remedy ?? `${steps}, for example ${name}=${example}.` };
  }
  // Values that are long (possibly a key) or contain control characters are not shown.
  const shown = secret !== true && /^[ -~]{1,40}$/.test(found.value) ? `=${found.value}` : '';
  const otherwise = !defaultText ? '' : `, or unset it to use the default (${defaultText})`;
  // The example of a switch may be its dangerous value.
  const valid =
    example === 'true' || example === 'false'
      ? `Set ${name}=true or false`
      : `For example ${name}=${example}`;
  return {
    name: found.name,
    problem: `${found.name}${shown} (${found.label}) ${issue.message}`,
    remedy: remedy ?? `${valid}${otherwise}.`,
  };
}

/** Warnings for secrets in quotes, because the quotes are removed but could be part of the secret. */
function quotedSecrets(settings: readonly Setting[], at: HostEnvironment): string[] {
  return settings
    .filter(({ name, secret }) => secret === true && isQuoted(at.env[name]))
    .map(
      ({ name }) =>
        `${name} (environment) is in quotes, which are removed; if they are part of the value, use ${name}_FILE`,
    );
}

interface Misspelling {
  readonly warning?: string;
  readonly error?: ConfigError;
}

/**
 * Names that look like misspelled settings, unless the correct name is also set. A misspelled setting that restricts the server is
 * an error, others are warnings. In config.env (`ownFile`), which no other program reads, every unknown name is a mistake.
 */
function misspelledNames(
  sources: readonly Source[],
  settings: readonly Setting[],
  found: ReadonlyMap<string, Found>,
  ownFile: string,
): readonly Misspelling[] {
  const known = settings.flatMap(({ name, secret, aliases = [] }) =>
    secret === true ? [name, `${name}_FILE`] : [name, ...aliases],
  );
  const retired = RETIRED.map(({ name }) => name);
  const given = new Set([...found.values()].map(({ name }) => name));
  return sources.flatMap(({ label, names, file }) =>
    names.flatMap((name): readonly Misspelling[] => {
      if (retired.includes(name)) return [];
      const meant = nearMiss(name, known);
      const ignored = `${name} (${label}) is not a setting and is ignored`;
      if (meant === undefined || given.has(meant)) {
        return file === ownFile && !known.includes(name) ? [{ warning: ignored }] : [];
      }
      const restricts =
        settings.some((setting) => setting.name === meant && setting.restricts === true) &&
        isMisspelled(name, meant);
      if (!restricts) return [{ warning: `${ignored}: did you mean ${meant}?` }];
      const problem = `${name} (${label}) is not a setting`;
      return [{ error: { name, problem, remedy: `Did you mean ${meant}? Rename it, or remove it.` } }];
    }),
  );
}
