import { parse } from 'dotenv';
import {
  absolutePath,
  currentSurroundings,
  type HostEnvironment,
  pathsOf,
} from '../../../config/host-environment.ts';
import { type LoadInput, type LoadResult, loadConfig } from '../../../config/load.ts';
import { listSettings } from '../../../config/settings-schema.ts';
import { isSet } from '../../../config/sources.ts';
import type { PresetName } from '../../../governance/policy/policy-types.ts';
import type { ClientApp } from './clients.ts';
import type { Values } from './env-file.ts';

/** How much the assistant may do. */
export const LEVELS = ['read-only', 'containers', 'host'] as const;
export type Level = (typeof LEVELS)[number];

/** The settings as text, from options, environment and the configuration file as it is, by their names in the environment. */
export function gatherValues(input: LoadInput, fileText: string | undefined, at: HostEnvironment): Values {
  const file: Values = fileText === undefined ? {} : parse(fileText);
  const named = listSettings().flatMap(({ name, property, secret, aliases = [] }) => {
    const flag = input.flags?.[property];
    const names = secret === true ? [name, `${name}_FILE`] : [name];
    return names.map((each) => {
      // Of an old name the file counts more than the environment: HOST is exported by some shells.
      const old = aliases.flatMap((alias) => [file[alias], at.env[alias]]);
      return [each, [flag, at.env[each], file[each], ...old].find(isSet)] as const;
    });
  });
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

/** What of a setting's value comes from an option or the environment, and so answers a question; not what a file says. */
export function isAnswered(
  input: LoadInput,
  property: string,
  names: readonly string[],
  at: HostEnvironment,
): boolean {
  return isSet(input.flags?.[property]) || names.some((name) => isSet(at.env[name]));
}

/** Old names of settings, to be removed from a file in which their new names are written. */
export function oldNames(): Values {
  return Object.fromEntries(
    listSettings().flatMap(({ aliases = [] }) => aliases.map((alias) => [alias, undefined])),
  );
}

/** What a level means as settings. */
export function levelValues(level: Level): Values {
  return {
    READ_ONLY: level === 'read-only' ? 'true' : undefined,
    ENABLE_HOST_EXEC: level === 'host' ? 'true' : undefined,
  };
}

/** The policy of a new set-up: confirmation before containers are stopped or killed, files overwritten, and on the node. */
export const RECOMMENDED_POLICY: PresetName = 'careful';

/** The policy that goes with a level: none where nothing but looking is allowed, or where a file has the rules. */
export function policyValues(level: Level, values: Values, policy = values.POLICY): Values {
  if (level === 'read-only' || isSet(values.POLICY_FILE)) return {};
  return { POLICY: policy ?? RECOMMENDED_POLICY };
}

/** The level that values amount to, if they say anything about it. */
export function levelOf(values: Values): Level | undefined {
  const on = (name: string) => /^(true|1|yes|on)$/i.test(values[name] ?? '');
  if (on('READ_ONLY')) return 'read-only';
  if (on('ENABLE_HOST_EXEC')) return 'host';
  return values.READ_ONLY === undefined && values.ENABLE_HOST_EXEC === undefined ? undefined : 'containers';
}

/** Reads values as serving will when they are in its configuration file. */
export function configFrom(values: Values, at: HostEnvironment = currentSurroundings()): LoadResult {
  const names = listSettings().flatMap(({ name, aliases = [] }) => [name, `${name}_FILE`, ...aliases]);
  const others = Object.entries(at.env).filter(([name]) => !names.includes(name));
  return loadConfig({ ignoreFiles: true }, { ...at, env: { ...Object.fromEntries(others), ...values } });
}

/** Paths made absolute: a client starts us in a directory of its own choice. */
export function absolutePaths(values: Values, at: HostEnvironment): Values {
  const names = ['SSH_KEY', 'SSH_KNOWN_HOSTS', 'SSH_PASSWORD_FILE', 'SSH_KEY_PASSPHRASE_FILE', 'POLICY_FILE'];
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) =>
      names.includes(name) && isSet(value) ? [name, absolutePath(at, value)] : [name, value],
    ),
  );
}

/** How the chosen clients, level and policy are answered by APPROVALS. */
export interface ApprovalPlan {
  readonly values: Values;
  /** The chosen clients that cannot show a question, by title. */
  readonly silent: readonly string[];
}

/**
 * APPROVALS for a set of clients: `client` where all can show questions, else `terminal`. Not set where nothing is asked:
 * read-only, and POLICY=open.
 */
export function approvalPlan(
  level: Level,
  policy: string | undefined,
  apps: readonly ClientApp[],
): ApprovalPlan {
  if (level === 'read-only' || policy === 'open' || apps.length === 0) return { values: {}, silent: [] };
  const silent = apps.filter(({ asks }) => !asks).map(({ title }) => title);
  return { values: { APPROVALS: silent.length === 0 ? 'client' : 'terminal' }, silent };
}

/** The transfer directory of a set-up: an own folder, unless one is set; none where nothing is transferred. */
export function transferValues(level: Level, values: Values, at: HostEnvironment): Values {
  if (level === 'read-only' || isSet(values.TRANSFER_DIRS)) return {};
  return { TRANSFER_DIRS: pathsOf(at).join(at.home, 'proxmox-mcp') };
}
