import { execFileSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig, Undo } from '../rig/rig.ts';

/** Makes the rig's /etc/pve look as if nothing were mounted on it. */
export async function emptyEtcPve(rig: Rig): Promise<Undo> {
  await rig.inNode(['mount', '-t', 'tmpfs', 'tmpfs', '/etc/pve']);
  const { stdout } = await rig.inNode(['ls', '-A', '/etc/pve']);
  if (stdout !== '') throw new Error(`/etc/pve is not empty: ${stdout}`);
  return async () => void (await rig.inNode(['umount', '/etc/pve']));
}

/** Reading the rig's .members hangs, because no writer opens the fifo. */
export function hangEtcPve(rig: Rig): Promise<Undo> {
  return hangClusterFile(rig, '.members');
}

/** Reading this file of the rig's /etc/pve hangs, because no writer opens the fifo. */
export async function hangClusterFile(rig: Rig, name: string): Promise<Undo> {
  const file = join(rig.info.paths.pve, name);
  renameSync(file, `${file}.away`);
  execFileSync('mkfifo', [file]);
  return async () => {
    // Ends waiting readers. Where /etc/pve is FUSE, the fifo in it is not the same as the file below.
    await rig.inNode(['timeout', '5', 'sh', '-c', `: 3<>/etc/pve/${name}`]);
    rmSync(file);
    renameSync(`${file}.away`, file);
  };
}
