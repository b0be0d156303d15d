/** Names that people try, from other tools and by guessing, too far from ours for counting letters. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  SSH_HOST: 'HOST',
  PROXMOX_HOST: 'HOST',
  PVE_HOST: 'HOST',
  SSH_USER: 'SSH_USERNAME',
  SSH_PASS: 'SSH_PASSWORD',
  SSH_PASSPHRASE: 'SSH_KEY_PASSPHRASE',
  SSH_KEY_FILE: 'SSH_KEY',
  SSH_KEY_PATH: 'SSH_KEY',
  SSH_PRIVATE_KEY: 'SSH_KEY',
  SSH_PROXY_JUMP: 'SSH_JUMP',
  ACCEPT_RISKS: 'I_ACCEPT_RISKS',
  HOST_EXEC: 'ENABLE_HOST_EXEC',
  READONLY: 'READ_ONLY',
  TRANSFER_DIR: 'TRANSFER_DIRS',
};

/** Variables that every shell or its SSH client sets, near to one of ours by chance. */
const UNRELATED = new Set([
  'HOME',
  'HOSTNAME',
  'HOSTTYPE',
  'SSH_TTY',
  'SSH_CLIENT',
  'SSH_AUTH_SOCK',
  'SSH_ASKPASS',
]);

/** The setting that was probably meant by an unknown name. */
export function nearMiss(name: string, known: readonly string[]): string | undefined {
  const upper = name.toUpperCase();
  if (known.includes(name) || UNRELATED.has(upper)) return undefined;
  return known.find((each) => each === upper) ?? OTHER_NAMES[upper] ?? nearest(upper, known);
}

/** The candidate that a slip or two away from `word`, if there is one. Short words allow one slip. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const allowed = word.length < 6 ? 1 : 2;
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distanceBetween(word, candidate) }))
    .filter(({ distance }) => distance <= allowed)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** Letters to insert, drop, change or swap with their neighbour to get from `a` to `b`. */
function distanceBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(change, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (beforeLast[j - 2] ?? best) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
