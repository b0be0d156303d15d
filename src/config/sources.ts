import fs from 'node:fs';
import { parse } from 'dotenv';
import { decodeText } from '../lib/decode-text.ts';
import { FILE_REMEDY, reason } from './formats.ts';
import { absolutePath, type HostEnvironment } from './host-environment.ts';
import { unquoted } from './quoted.ts';
import type { Setting } from './setting.ts';

/** Why the server cannot start. */
export interface Fault {
  /** The setting, as the operator named it. */
  readonly name: string;
  /** A sentence without its full stop. */
  readonly problem: string;
  /** What to do about it: a sentence. */
  readonly remedy: string;
}

/** Values by name from one place. */
export interface Source {
  /** As it is named in a message: `environment`, `.env`. */
  readonly label: string;
  readonly get: (name: string) => string | undefined;
  /** Every name that it holds. */
  readonly names: readonly string[];
  /** The file that it was read from, absolute. */
  readonly file?: string;
}

/** A value and where it was found. */
export interface Found {
  readonly value: string;
  /** What the operator would change: `SSH_PORT`, `--ssh-port`, `SSH_PASSWORD_FILE`. */
  readonly name: string;
  readonly label: string;
  /** The file that a secret was read from, absolute. */
  readonly file?: string;
}

/** Text given with flags, by property of `Config`. */
export type Flags = Readonly<Record<string, string | undefined>>;

/** Empty is unset, everywhere: clients and compose files pass on variables that nobody filled in. */
export function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '';
}

export function environmentSource(at: HostEnvironment): Source {
  return { label: 'environment', get: (name) => unquoted(at.env[name]), names: Object.keys(at.env) };
}

/** Reads an env file; `warn` hears of lines that do not mean what they look like. */
export function fileSource(file: string, label: string, warn: (message: string) => void): Source {
  const content = decodeText(fs.readFileSync(file));
  const values: Readonly<Record<string, string | undefined>> = parse(content);
  for (const [, name = '', value = ''] of content.matchAll(/^[ \t]*(\w+)[ \t]*=[ \t]*([^\s'"`#]+)#/gm)) {
    if (values[name] === value) {
      warn(
        `${name} in ${label} is cut off at the # in its value: put the value in quotes if the # belongs to it`,
      );
    }
  }
  return { label, get: (name) => values[name], names: Object.keys(values), file };
}

/** What one source says about a setting, under its name or an alias; secrets may be named there as a file. */
export function findIn(
  source: Source,
  setting: Setting,
  at: HostEnvironment,
  fault: (fault: Fault) => void,
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
    fault({
      name,
      problem: `${name} and ${fileName} are both set (${label})`,
      remedy: `Keep one of them; ${fileName} is the safer.`,
    });
    return undefined;
  }
  const file = absolutePath(at, named.trim());
  try {
    const content = decodeText(fs.readFileSync(file)).replace(/(\r?\n)+$/, '');
    if (isSet(content)) return { value: content, name: fileName, label, file };
    fault({
      name: fileName,
      problem: `${fileName} (${label}) names an empty file: ${file}`,
      remedy: 'Put the secret into it.',
    });
  } catch (error) {
    const problem = `${fileName} (${label}) names a file that cannot be read: ${reason(error, file)}`;
    fault({ name: fileName, problem, remedy: FILE_REMEDY });
  }
  return undefined;
}
