import type { Feature, Machine, Scripts } from './machine.ts';

/** What a case gets: where scripts run, and their texts. */
export interface Bench {
  readonly machine: Machine;
  readonly scripts: Scripts;
}

/** One promise of a script. Throws an assertion error where the script breaks it. */
export interface Case {
  readonly name: string;
  readonly needs?: readonly Feature[];
  readonly run: (bench: Bench) => Promise<void>;
}

/** The cases that the machine has the features for. */
export function applicable(cases: readonly Case[], { features }: Machine): readonly Case[] {
  return cases.filter(({ needs = [] }) => needs.every((feature) => features.has(feature)));
}
