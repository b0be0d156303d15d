export interface Probe {
  readonly uid: number;
  readonly user: string;
  /** `Debian GNU/Linux 12 (bookworm)`; empty if it does not say. */
  readonly os: string;
  /** `9.1.2`; empty if pveversion does not tell one, null if there is none. */
  readonly version: string | null;
  /** Where programs are, by name. */
  readonly paths: ReadonlyMap<string, string>;
}

/** Reads the answer of probe.sh; undefined if it is none. Start files of the shell may have written before it. */
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
    version: version === undefined ? null : (/pve-manager\/([^/\s]+)/.exec(version)?.[1] ?? ''),
    paths: new Map(paths),
  };
}

/** What sudo allows; undefined if probe-sudo.sh did not come to its end. */
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
