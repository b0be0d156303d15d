/** Of a new file in a container or on the node, unless `permissions` says otherwise. */
const UPLOADED = 0o644;

/**
 * The octal mode of a new file that is uploaded: 644, without what the local file does not grant. Windows has no such modes.
 * @param sourceMode of the local file
 */
export function uploadMode(sourceMode: number, platform: NodeJS.Platform): string {
  return (platform === 'win32' ? UPLOADED : UPLOADED & sourceMode).toString(8);
}

/**
 * The mode of a new local file: that of the source, without what the umask takes away. The owner may always read it; no
 * set-user-ID or other special bit is taken over.
 * @param remoteMode octal, as the other side tells it, which decides nothing: what is no mode counts as 600
 */
export function downloadMode(remoteMode: string | undefined, umask: number): number {
  const told = remoteMode !== undefined && /^[0-7]{1,4}$/.test(remoteMode) ? remoteMode : '600';
  return ((Number.parseInt(told, 8) & 0o777) | 0o400) & ~umask;
}
