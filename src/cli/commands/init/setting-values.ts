import { parse } from 'dotenv';
import {
  absolutePath,
  currentEnvironment,
  type HostEnvironment,
  pathsOf,
} from '../../../config/host-environment.ts';
import { type LoadInput, type LoadResult, loadConfig } from '../../../config/load.ts';
import { listSettings } from '../../../config/settings-schema.ts';
import { isSet } from '../../../config/sources.ts';
import type { PresetName } from '../../../governance/policy/policy-types.ts';
import type { ClientApp } from './clients.ts';
import type { Values } from './env-file.ts';

/** The permission levels of the assistant. */
export const LEVELS = ['read-only', 'containers', 'host'] as const;
export type Level = (typeof LEVELS)[number];

/** The current settings as text, from options, environment and configuration file, by variable name. */
export function gatherValues(input: LoadInput, fileText: string | undefined, at: HostEnvironment): Values {
  const file: Values = fileText === undefined ? {} : parse(fileText);
  const named = listSettings().flatMap(({ name, property, secret, aliases = [] }) => {
    const flag = input.flags?.[property];
    const names = secret === true ? [name, `${name}_FILE`] : [name];
    return names.map((each) => {
      // For an old name, the file takes precedence over the environment, because some shells export HOST.
      const old = aliases.flatMap((alias) => [file[alias], at.env[alias]]);
      return [each, [flag, at.env[each], file[each], ...old].find(isSet)] as const;
    });
  });
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

/** Whether an option or variable sets a setting, so that its question is skipped. A configuration file does not count. */
export function isAnswered(
  input: LoadInput,
  property: string,
  names: readonly string[],
  at: HostEnvironment,
): boolean {
  return isSet(input.flags?.[property]) || names.some((name) => isSet(at.env[name]));
}

/** The old names of settings, to be removed from the file when the new names are written. */
export function oldNames(): Values {
  return Object.fromEntries(
    listSettings().flatMap(({ aliases = [] }) => aliases.map((alias) => [alias, undefined])),
  );
}

/** The settings of a level. */
export function levelValues(level: Level): Values {
  return {
    READ_ONLY: level === 'read-only' ? 'true' : undefined,
    ENABLE_HOST_EXEC: level === 'host' ? 'true' : undefined,
  };
}

/** The policy of a new set-up: confirm stopping or killing containers, overwriting files, and everything on the node. */
export const RECOMMENDED_POLICY: PresetName = 'careful';

/** The policy of a level: none for read-only, or if POLICY_FILE is set. */
export function policyValues(level: Level, values: Values, policy = values.POLICY): Values {
  if (level === 'read-only' || isSet(values.POLICY_FILE)) return {};
  return { POLICY: policy ?? RECOMMENDED_POLICY };
}

/** Whether the value of a switch turns it on. */
export function isTrue(value: string | undefined): boolean {
  return /^(true|1|yes|on)$/i.test(value?.trim() ?? '');
}

/** The level that the settings amount to; undefined if none of them is about the level. */
export function levelOf(values: Values): Level | undefined {
  if (isTrue(values.READ_ONLY)) return 'read-only';
  if (isTrue(values.ENABLE_HOST_EXEC)) return 'host';
  return values.READ_ONLY === undefined && values.ENABLE_HOST_EXEC === undefined ? undefined : 'containers';
}

/** Loads the values as the server will load them from its configuration file. */
export function configFrom(values: Values, at: HostEnvironment = currentEnvironment()): LoadResult {
  const names = listSettings().flatMap(({ name, aliases = [] }) => [name, `${name}_FILE`, ...aliases]);
  const others = Object.entries(at.env).filter(([name]) => !names.includes(name));
  return loadConfig({ ignoreFiles: true }, { ...at, env: { ...Object.fromEntries(others), ...values } });
}

/** Makes paths absolute, because clients start the server in any directory. */
export function absolutePaths(values: Values, at: HostEnvironment): Values {
  const names = ['SSH_KEY', 'SSH_KNOWN_HOSTS', 'SSH_PASSWORD_FILE', 'SSH_KEY_PASSPHRASE_FILE', 'POLICY_FILE'];
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) =>
      names.includes(name) && isSet(value) ? [name, absolutePath(at, value)] : [name, value],
    ),
  );
}

/** The value of APPROVALS for the chosen clients, level and policy. */
export interface ApprovalPlan {
  readonly values: Values;
  /** Titles of the chosen clients that cannot ask for confirmation. */
  readonly silent: readonly string[];
}

/**
 * APPROVALS for a set of clients: `client` if all can ask for confirmation, otherwise `terminal`. Not set if nothing needs
 * confirmation: with level read-only or POLICY=open.
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

/** The transfer directory of a set-up: ~/proxmox-mcp, unless one is set; none for read-only. */
export function transferValues(level: Level, values: Values, at: HostEnvironment): Values {
  if (level === 'read-only' || isSet(values.TRANSFER_DIRS)) return {};
  return { TRANSFER_DIRS: pathsOf(at).join(at.home, 'proxmox-mcp') };
}
