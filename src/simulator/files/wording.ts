import { posix } from 'node:path';

/**
 * Programs of just-bash take much for a missing file, even what the user may not read, and show the rest as Node words it.
 * @param refused paths that this user was kept from
 */
export function reworded(text: string, refused: ReadonlySet<string>): string {
  return text
    .replaceAll(/: E[A-Z]+: ([a-z -]+), \w+ '[^'\n]*'$/gm, (_whole, words: string) => `: ${capital(words)}`)
    .replaceAll(/(?<=\W)'?([^\s':]+)'?: No such file or directory$/gm, (whole, name: string) =>
      [...refused].some((path) => path.endsWith(posix.normalize(`/${name}`)))
        ? whole.replace(/No such file or directory$/, 'Permission denied')
        : whole,
    );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
