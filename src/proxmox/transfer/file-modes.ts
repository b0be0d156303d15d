/** The mode of a new file in a container or on the node, unless `permissions` is set. */
const UPLOADED = 0o644;

/**
 * The octal mode of a new file that is uploaded: 644, limited to the permissions of the local file. Windows has no such
 * permissions.
 * @param sourceMode the mode of the local file
 */
export function uploadMode(sourceMode: number, platform: NodeJS.Platform): string {
  return (platform === 'win32' ? UPLOADED : UPLOADED & sourceMode).toString(8);
}

/**
 * The mode of a new local file: that of the source, limited by the umask. The owner can always read it, and special bits such
 * as set-user-ID are dropped.
 * @param remoteMode octal, from the remote side and untrusted; an invalid mode counts as 600
 */
export function downloadMode(remoteMode: string | undefined, umask: number): number {
  const told = remoteMode !== undefined && /^[0-7]{1,4}$/.test(remoteMode) ? remoteMode : '600';
  return ((Number.parseInt(told, 8) & 0o777) | 0o400) & ~umask;
}
