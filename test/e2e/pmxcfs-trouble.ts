import { execFileSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig, Undo } from '../rig/rig.ts';

/** The rig's /etc/pve as it looks when nothing is mounted on it. */
export async function emptyEtcPve(rig: Rig): Promise<Undo> {
  await rig.inNode(['mount', '-t', 'tmpfs', 'tmpfs', '/etc/pve']);
  const { stdout } = await rig.inNode(['ls', '-A', '/etc/pve']);
  if (stdout !== '') throw new Error(`/etc/pve is not empty: ${stdout}`);
  return async () => void (await rig.inNode(['umount', '/etc/pve']));
}

/** Reading the rig's .members waits for a writer that never comes. */
export function hangEtcPve(rig: Rig): Promise<Undo> {
  return hangClusterFile(rig, '.members');
}

/** Reading this file of the rig's /etc/pve waits for a writer that never comes. */
export async function hangClusterFile(rig: Rig, name: string): Promise<Undo> {
  const file = join(rig.info.paths.pve, name);
  renameSync(file, `${file}.away`);
  execFileSync('mkfifo', [file]);
  return async () => {
    // Lets go those who wait. Where /etc/pve is FUSE, the fifo there is another one than the file beneath.
    await rig.inNode(['timeout', '5', 'sh', '-c', `: 3<>/etc/pve/${name}`]);
    rmSync(file);
    renameSync(`${file}.away`, file);
  };
}
