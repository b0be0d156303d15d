/** What probe.sh reports about the node. */
export interface Probe {
  readonly uid: number;
  readonly user: string;
  /** `Debian GNU/Linux 12 (bookworm)`; empty if unknown. */
  readonly os: string;
  /** `9.1.2`; empty if pveversion prints none, null if there is no pveversion. */
  readonly version: string | null;
  /** Paths of programs by name. */
  readonly paths: ReadonlyMap<string, string>;
}

/** Reads the items that probe.sh reports; undefined if they are incomplete. */
export function parseProbe(items: readonly (readonly [key: string, value: string])[]): Probe | undefined {
  const values = new Map(items);
  const uid = values.get('uid') ?? '';
  if (!/^\d{1,10}$/.test(uid)) return undefined;
  const version = values.get('version');
  const paths = items.flatMap(([name, path]) =>
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
