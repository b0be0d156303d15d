import { fromBytes, toBytes } from '../kernel/bytes.ts';
import type { Shell } from './posix-shell.ts';

/** `~` and `~user` before a slash or at the end. */
export function expandTilde(
  shell: Shell,
  text: string,
  whole: boolean,
  assignment = false,
): { directory: string; rest: string } | undefined {
  const [prefix, user = ''] = (assignment ? /^~([^/:]*)/ : /^~([^/]*)/).exec(text) ?? [];
  if (prefix === undefined || (prefix.length === text.length && !whole)) return undefined;
  const rest = text.slice(prefix.length);
  if (user === '') {
    const home = shell.variables.get('HOME');
    return home === undefined ? undefined : { directory: home, rest };
  }
  const { files } = shell.process.machine;
  const passwd = files.exists('/etc/passwd') ? files.readText('/etc/passwd') : '';
  const line = passwd.split('\n').find((each) => each.startsWith(`${fromBytes(user)}:`));
  return line === undefined ? undefined : { directory: toBytes(line.split(':')[5] ?? ''), rest };
}

/** In assignments a tilde may also follow a colon. */
export function expandTildes(shell: Shell, text: string, first: boolean): string {
  return text
    .split(':')
    .map((piece, index) => {
      const home = index > 0 || first ? expandTilde(shell, piece, true, true) : undefined;
      return home ? home.directory + home.rest : piece;
    })
    .join(':');
}
