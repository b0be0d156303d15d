import { type Flags, isSet, type Source } from './sources.ts';

/** A retired setting. It is accepted, so that old configurations still work, but has no effect. */
export interface RetiredSetting {
  readonly name: string;
  readonly flag: string;
  /** The placeholder of its value; absent for a switch. */
  readonly placeholder?: string;
  /** What applies instead, a clause. */
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

/** A note for each retired setting that is still set. Options are in `flags` by setting name. */
export function retiredNotes(flags: Flags, sources: readonly Source[]): string[] {
  return RETIRED.flatMap(({ name, flag, note }) => [
    ...(isSet(flags[name]) ? [`--${flag} no longer has any effect: ${note}`] : []),
    ...sources.flatMap(({ label, get }) =>
      isSet(get(name)) ? [`${name} (${label}) no longer has any effect: ${note}`] : [],
    ),
  ]);
}
