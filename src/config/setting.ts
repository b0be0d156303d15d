import * as z from 'zod/v4';

export const GROUPS = ['Consent', 'Connection', 'Commands', 'Files', 'Server', 'HTTP', 'Governance'] as const;

/** The metadata of a setting: its names, its group and its help text. */
export interface SettingInfo {
  /** The variable name, also in config.env. A secret may also be set as `NAME_FILE`, the path of a file. */
  readonly name: string;
  /** Old names that are still accepted. `name` takes precedence in every source. */
  readonly aliases?: readonly string[];
  /** `basic`: in the README. `common`: in docs/settings.md. Absent: on the page of advanced settings. */
  readonly tier?: 'basic' | 'common';
  readonly group: (typeof GROUPS)[number];
  /** One line, for `--help`, `.env.example` and the README. */
  readonly help: string;
  /** A valid value, for errors and `.env.example`. */
  readonly example: string;
  /** The option, without the dashes. A secret has none, because every user of the machine can read command lines. */
  readonly flag?: string;
  /** The placeholder of the value in `--help`. Absent for a switch. */
  readonly placeholder?: string;
  readonly secret?: true;
  /** The setting restricts what the server allows. The server does not start with a similar, misspelled name. */
  readonly restricts?: true;
  readonly default?: string;
  /** The default in words, if it depends on the machine. */
  readonly defaultText?: string;
}

export interface Setting extends SettingInfo {
  /** The name of its value in `Config`. */
  readonly property: string;
}

/** The metadata of each schema, by schema. */
export const settingsMetadata = z.registry<SettingInfo>();
