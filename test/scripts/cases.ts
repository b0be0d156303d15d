import type { Feature, Machine, Scripts } from './machine.ts';

/** What a case receives: a machine that runs scripts, and the text of the scripts. */
export interface Bench {
  readonly machine: Machine;
  readonly scripts: Scripts;
}

/** One documented behavior of a script. Throws an assertion error if the script differs. */
export interface Case {
  readonly name: string;
  readonly needs?: readonly Feature[];
  readonly run: (bench: Bench) => Promise<void>;
}

/** The cases whose features the machine has. */
export function applicable(cases: readonly Case[], { features }: Machine): readonly Case[] {
  return cases.filter(({ needs = [] }) => needs.every((feature) => features.has(feature)));
}
