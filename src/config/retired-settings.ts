import { type Flags, isSet, type Source } from './sources.ts';

/** A setting that is derived today. It is accepted, so that old configurations start, and has no effect. */
export interface RetiredSetting {
  readonly name: string;
  readonly flag: string;
  /** Stands for the value of the option; absent for a switch. */
  readonly placeholder?: string;
  /** What holds instead, a clause. */
  readonly note: string;
}

export const RETIRED: readonly RetiredSetting[] = [
  {
    name: 'SHUTDOWN_GRACE',
    flag: 'shutdown-grace',
    placeholder: 'seconds',
    note: 'running calls have 2 seconds to finish at shutdown',
  },
  {
    name: 'HTTP_SHOW_TOKEN',
    flag: 'http-show-token',
    note: 'a generated token is printed only if stderr is a terminal',
  },
];

/** One note for each retired setting that is still given. Options are in `flags` under the name of the setting. */
export function retiredNotes(flags: Flags, sources: readonly Source[]): string[] {
  return RETIRED.flatMap(({ name, flag, note }) => [
    ...(isSet(flags[name]) ? [`--${flag} has no effect any more: ${note}`] : []),
    ...sources.flatMap(({ label, get }) =>
      isSet(get(name)) ? [`${name} (${label}) has no effect any more: ${note}`] : [],
    ),
  ]);
}
