import { Failure } from './program.ts';

/** The parsed options of a program. */
export interface Options {
  has(letter: string): boolean;
  /** The last value of an option. */
  value(letter: string): string | undefined;
  /** All values of an option, which may be repeated. */
  values(letter: string): readonly string[];
  /** The arguments that are not options. */
  readonly rest: readonly string[];
}

/**
 * Parses options at any position, as GNU programs do.
 * @param spec letters, with a colon after those that take a value
 * @param long names of long options and their letters
 * @throws Failure for an unknown option
 */
export function parseOptions(
  args: readonly string[],
  spec: string,
  {
    long = {},
    code = 1,
    posix = false,
  }: { long?: Readonly<Record<string, string>>; code?: number; posix?: boolean } = {},
): Options {
  const found = new Map<string, string[]>();
  const rest: string[] = [];
  const add = (letter: string, value: string) => found.set(letter, [...(found.get(letter) ?? []), value]);
  const takesValue = (letter: string) => spec[spec.indexOf(letter) + 1] === ':';
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') {
      rest.push(...args.slice(index + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const [name = '', inline] = splitOnce(arg.slice(2));
      const letter = long[name];
      if (letter === undefined) throw new Failure(`unrecognized option '${arg}'`, code);
      if (takesValue(letter) && inline === undefined) index += 1;
      add(letter, inline ?? (takesValue(letter) ? (args[index] ?? '') : ''));
      continue;
    }
    if (!/^-./.test(arg)) {
      rest.push(...(posix ? args.slice(index) : [arg]));
      if (posix) break;
      continue;
    }
    for (let at = 1; at < arg.length; at += 1) {
      const letter = arg[at] ?? '';
      if (letter === ':' || !spec.includes(letter)) throw new Failure(`invalid option -- '${letter}'`, code);
      if (!takesValue(letter)) {
        add(letter, '');
        continue;
      }
      const inline = arg.slice(at + 1);
      if (inline === '') {
        index += 1;
        const value = args[index];
        if (value === undefined) throw new Failure(`option requires an argument -- '${letter}'`, code);
        add(letter, value);
      } else add(letter, inline);
      break;
    }
  }
  return {
    rest,
    has: (letter) => found.has(letter),
    value: (letter) => found.get(letter)?.at(-1),
    values: (letter) => found.get(letter) ?? [],
  };
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Parses `10`, `1K`, `64k`, `2M`, `1G`; undefined if it is not a size. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+)([kKMGTcwb]?)B?$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const factors: Record<string, number> = {
    c: 1,
    w: 2,
    b: 512,
    k: 1024,
    K: 1024,
    M: 1024 ** 2,
    G: 1024 ** 3,
    T: 1024 ** 4,
  };
  return Number(number) * (factors[unit] ?? 1);
}
