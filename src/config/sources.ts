import fs from 'node:fs';
import { parse } from 'dotenv';
import { decodeText } from '../lib/decode-text.ts';
import { absolutePath, type HostEnvironment } from './host-environment.ts';
import { FILE_REMEDY, reason } from './path-formats.ts';
import { unquoted } from './quoted.ts';
import type { Setting } from './setting.ts';

/** Why the server cannot start. */
export interface ConfigError {
  /** The setting, under the name that the operator used. */
  readonly name: string;
  /** A sentence without the final period. */
  readonly problem: string;
  /** What to do, a sentence. */
  readonly remedy: string;
}

/** The values of one source by name: the environment or a file. */
export interface Source {
  /** Its name in messages: `environment`, `.env`. */
  readonly label: string;
  readonly get: (name: string) => string | undefined;
  /** All names in it. */
  readonly names: readonly string[];
  /** Absolute path of the file. */
  readonly file?: string;
}

/** A value and its source. */
export interface Found {
  readonly value: string;
  /** The name that the operator used: `SSH_PORT`, `--ssh-port`, `SSH_PASSWORD_FILE`. */
  readonly name: string;
  readonly label: string;
  /** Absolute path of the file that a secret was read from. */
  readonly file?: string;
}

/** Values of command line options, by property of `Config`. */
export type Flags = Readonly<Record<string, string | undefined>>;

/** An empty value counts as unset, because clients and compose files pass on empty variables. */
export function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '';
}

export function environmentSource(at: HostEnvironment): Source {
  return { label: 'environment', get: (name) => unquoted(at.env[name]), names: Object.keys(at.env) };
}

/** Reads an env file. Calls `warn` for misleading lines. */
export function fileSource(file: string, label: string, warn: (message: string) => void): Source {
  const content = decodeText(fs.readFileSync(file));
  const values: Readonly<Record<string, string | undefined>> = parse(content);
  for (const [, name = '', value = ''] of content.matchAll(/^[ \t]*(\w+)[ \t]*=[ \t]*([^\s'"`#]+)#/gm)) {
    if (values[name] === value) {
      warn(
        `${name} in ${label} is truncated at the #: if the # is part of the value, put the value in quotes`,
      );
    }
  }
  return { label, get: (name) => values[name], names: Object.keys(values), file };
}

/** The value of a setting in one source, under its name or an alias. A secret may be given as NAME_FILE. */
export function findIn(
  source: Source,
  setting: Setting,
  at: HostEnvironment,
  addError: (error: ConfigError) => void,
  name: string = setting.name,
): Found | undefined {
  const { secret } = setting;
  const { label } = source;
  const value = source.get(name);
  if (secret !== true) return isSet(value) ? { value: value.trim(), name, label } : undefined;

  const fileName = `${name}_FILE`;
  const named = source.get(fileName);
  if (!isSet(named)) return isSet(value) ? { value, name, label } : undefined;
  if (isSet(value)) {
    addError({
      name,
      problem: `${name} and ${fileName} are both set (${label})`,
      remedy: `Keep one of them. ${fileName} is safer.`,
    });
    return undefined;
  }
  const file = absolutePath(at, named.trim());
  try {
    const content = decodeText(fs.readFileSync(file)).replace(/(\r?\n)+$/, '');
    if (isSet(content)) return { value: content, name: fileName, label, file };
    addError({
      name: fileName,
      problem: `${fileName} (${label}) is an empty file: ${file}`,
      remedy: 'Write the secret to the file.',
    });
  } catch (error) {
    const problem = `${fileName} (${label}) cannot be read: ${reason(error, file)}`;
    addError({ name: fileName, problem, remedy: FILE_REMEDY });
  }
  return undefined;
}
