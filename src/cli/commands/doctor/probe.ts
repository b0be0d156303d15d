/**
 * Asks the node, without any rights, who we are there and what it has. $1 nonce; lines after it are `NAME VALUE`.
 * Users other than root have no sbin directories in their PATH, where pct is.
 */
export const PROBE_SCRIPT = `PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
echo "$1"
echo "uid $(id -u)"
echo "user $(id -un)"
echo "os $(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME")"
for c in sudo pct pveversion lxc-attach lxc-info lxc-stop sh env; do
  p=$(command -v "$c") && echo "path:$c $p"
done
if command -v pveversion >/dev/null; then echo "version $(pveversion 2>&1)"; fi
echo "end"
`;

/** Which of the commands that need root sudo runs without a password. $1 nonce. Nothing is changed by any of them. */
export const SUDO_SCRIPT = `echo "$1"
for c in lxc-attach lxc-info lxc-stop; do sudo -n "$c" --version >/dev/null 2>&1 </dev/null && echo "may $c"; done
sudo -n /bin/sh -c : >/dev/null 2>&1 </dev/null && echo "may sh"
sudo -n env true >/dev/null 2>&1 </dev/null && echo "may env"
case $(LC_ALL=C sudo -n pct list 2>&1 >/dev/null </dev/null) in
  *sudo:*|*"not allowed"*|*"not found"*) ;;
  *) echo "may pct";;
esac
echo "end"
`;

/** Reads one file of the cluster file system. $1 nonce. */
export const MEMBERS_SCRIPT = `echo "$1"
cat /etc/pve/.members
`;

export interface Probe {
  readonly uid: number;
  readonly user: string;
  /** `Debian GNU/Linux 12 (bookworm)`; empty if it does not say. */
  readonly os: string;
  /** `9.1.2`, or null if there is no pveversion. */
  readonly version: string | null;
  /** Where programs are, by name. */
  readonly paths: ReadonlyMap<string, string>;
}

/** Reads the answer of PROBE_SCRIPT; undefined if it is none. Start files of the shell may have written before it. */
export function parseProbe(stdout: string, nonce: string): Probe | undefined {
  const lines = linesAfter(stdout, nonce);
  if (lines === undefined || !lines.includes('end')) return undefined;
  const values = new Map(lines.map((line) => split(line)));
  const uid = values.get('uid') ?? '';
  if (!/^\d+$/.test(uid)) return undefined;
  const version = values.get('version');
  const paths = [...values].flatMap(([name, path]) =>
    name.startsWith('path:') ? [[name.slice('path:'.length), path] as const] : [],
  );
  return {
    uid: Number(uid),
    user: values.get('user') ?? uid,
    os: values.get('os') ?? '',
    version: version === undefined ? null : (/pve-manager\/([^/\s]+)/.exec(version)?.[1] ?? version),
    paths: new Map(paths),
  };
}

/** What sudo allows; undefined if SUDO_SCRIPT did not come to its end. */
export function parseSudo(stdout: string, nonce: string): ReadonlySet<string> | undefined {
  const lines = linesAfter(stdout, nonce);
  if (lines === undefined || !lines.includes('end')) return undefined;
  return new Set(lines.flatMap((line) => (line.startsWith('may ') ? [line.slice(4)] : [])));
}

/** The text after the line that is the nonce. */
export function textAfter(stdout: string, nonce: string): string | undefined {
  return linesAfter(stdout, nonce)?.join('\n');
}

function linesAfter(stdout: string, nonce: string): string[] | undefined {
  const lines = stdout.split('\n');
  const at = lines.indexOf(nonce);
  return at < 0 ? undefined : lines.slice(at + 1);
}

function split(line: string): readonly [string, string] {
  const space = line.indexOf(' ');
  return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1).trim()];
}
