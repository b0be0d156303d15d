import { parse } from 'dotenv';
import { absolutePath, currentSurroundings, type HostEnvironment } from '../../../config/host-environment.ts';
import { type LoadInput, type LoadResult, loadConfig } from '../../../config/load.ts';
import { listSettings } from '../../../config/settings-schema.ts';
import { isSet } from '../../../config/sources.ts';
import type { PresetName } from '../../../governance/policy/policy-types.ts';
import type { Values } from './env-file.ts';

/** How much the assistant may do. */
export const LEVELS = ['read-only', 'containers', 'host'] as const;
export type Level = (typeof LEVELS)[number];

/** The settings as text, from options, environment and an env file that is there, by their names in the environment. */
export function gatherValues(input: LoadInput, envText: string | undefined, at: HostEnvironment): Values {
  const file: Values = envText === undefined ? {} : parse(envText);
  const named = listSettings().flatMap(({ name, property, secret }) => {
    const flag = input.flags?.[property];
    const names = secret === true ? [name, `${name}_FILE`] : [name];
    return names.map((each) => {
      const found = [flag, at.env[each], file[each]].find(isSet);
      return [each, found] as const;
    });
  });
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

/** What a level means as settings. */
export function levelValues(level: Level): Values {
  return {
    READ_ONLY: level === 'read-only' ? 'true' : undefined,
    ENABLE_HOST_EXEC: level === 'host' ? 'true' : undefined,
  };
}

/** What a new set-up asks a person about, unless somebody chose otherwise: what destroys, kills or overwrites, and the node. */
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

/** Reads values as serving will when they stand in its env file. */
export function configFrom(values: Values, at: HostEnvironment = currentSurroundings()): LoadResult {
  const names = listSettings().flatMap(({ name }) => [name, `${name}_FILE`]);
  const others = Object.entries(at.env).filter(([name]) => !names.includes(name));
  return loadConfig({}, { ...at, env: { ...Object.fromEntries(others), ...values } });
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
