import * as z from 'zod/v4';

export const GROUPS = ['Consent', 'Connection', 'Commands', 'Files', 'Server', 'HTTP', 'Governance'] as const;

/** What people are told about a setting, and where it is looked for. */
export interface SettingInfo {
  /** Name in the environment and in config.env. A secret may also be given as the path in `NAME_FILE`. */
  readonly name: string;
  /** Older names that are accepted as well; `name` wins in every source. */
  readonly aliases?: readonly string[];
  /** How many people need it: `basic` in the README, `common` in docs/settings.md; the rest is on the advanced page. */
  readonly tier?: 'basic' | 'common';
  readonly group: (typeof GROUPS)[number];
  /** One line, for `--help`, `.env.example` and the README. */
  readonly help: string;
  /** A value that works as it stands; in faults and in `.env.example`. */
  readonly example: string;
  /** Without the dashes. A secret has none: command lines are seen by every user of the machine. */
  readonly flag?: string;
  /** What stands for the value in `--help`. Absent for a switch. */
  readonly placeholder?: string;
  readonly secret?: true;
  /** Unset, the server allows more. A name that looks like a slip of this one stops the start. */
  readonly restricts?: true;
  readonly default?: string;
  /** The default in words, where it depends on the machine. */
  readonly defaultText?: string;
}

export interface Setting extends SettingInfo {
  /** Name of its value in `Config`. */
  readonly property: string;
}

/** What each format of the schema is about. */
export const about = z.registry<SettingInfo>();
