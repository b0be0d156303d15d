import type { Options, Shell } from './posix-shell.ts';
import { ShellError } from './shell-errors.ts';

const NAMES: Readonly<Record<string, keyof Options>> = {
  allexport: 'a',
  noclobber: 'C',
  errexit: 'e',
  noglob: 'f',
  noexec: 'n',
  nounset: 'u',
  xtrace: 'x',
  pipefail: 'pipefail',
};
const LETTERS: readonly (keyof Options)[] = ['a', 'C', 'e', 'f', 'n', 'u', 'x'];
/** Options of POSIX without effect here. */
const WITHOUT_EFFECT = 'bhmvIiEV';

/**
 * `set -eu -o NAME`.
 * @returns the remaining arguments as positional parameters; undefined if they are unchanged
 * @throws ShellError for an unknown option
 */
export async function setOptions(
  shell: Shell,
  args: readonly string[],
): Promise<readonly string[] | undefined> {
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') return args.slice(index + 1);
    if (!/^[-+]./.test(arg)) return args.slice(index);
    const on = arg.startsWith('-');
    for (const letter of arg.slice(1)) {
      if (letter === 'o') {
        index += 1;
        const name = args[index];
        const option = name === undefined ? undefined : NAMES[name];
        if (name === undefined) return undefined;
        if (option === undefined || (option === 'pipefail' && shell.dialect === 'dash'))
          throw new ShellError(`set: Illegal option -o ${name}`);
        shell.options[option] = on;
        continue;
      }
      const option = LETTERS.find((each) => each === letter);
      if (option !== undefined) shell.options[option] = on;
      else if (!WITHOUT_EFFECT.includes(letter))
        throw new ShellError(`set: Illegal option ${arg[0]}${letter}`);
    }
  }
  return undefined;
}
