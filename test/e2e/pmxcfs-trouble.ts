import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig, Undo } from '../rig/rig.ts';

/** Makes the rig's /etc/pve look as if nothing were mounted on it. */
export async function emptyEtcPve(rig: Rig): Promise<Undo> {
  await rig.inNode(['mount', '-t', 'tmpfs', 'tmpfs', '/etc/pve']);
  const { stdout } = await rig.inNode(['ls', '-A', '/etc/pve']);
  if (stdout !== '') throw new Error(`/etc/pve is not empty: ${stdout}`);
  return async () => {
    // A process may still have a file in it open.
    const { code, stderr } = await rig.inNode(['umount', '-l', '/etc/pve']);
    if (code !== 0) throw new Error(`/etc/pve stays empty: ${stderr}`);
  };
}

/** Reading the rig's .members hangs, because no writer opens the fifo. */
export function hangEtcPve(rig: Rig): Promise<Undo> {
  return hangClusterFile(rig, '.members');
}

/** Reading this file of the rig's /etc/pve hangs, because no writer opens the fifo. */
export async function hangClusterFile(rig: Rig, name: string): Promise<Undo> {
  const file = join(rig.info.paths.pve, name);
  execFileSync('mkfifo', [`${file}.fifo`]);
  renameSync(file, `${file}.away`);
  renameSync(`${file}.fifo`, file);
  return async () => {
    // Ends waiting readers, and those that come before the file is back: they would wait forever. Where /etc/pve is FUSE, the
    // fifo in it is not the same as the file below.
    const release = await rig.holdOpen(`/etc/pve/${name}`);
    renameSync(`${file}.away`, file);
    await release();
  };
}
