import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig, Undo } from '../rig/rig.ts';

/** The rig's /etc/pve as it looks when nothing is mounted on it. */
export async function emptyEtcPve(rig: Rig): Promise<Undo> {
  await rig.inNode(['mount', '-t', 'tmpfs', 'tmpfs', '/etc/pve']);
  const { stdout } = await rig.inNode(['ls', '-A', '/etc/pve']);
  if (stdout !== '') throw new Error(`/etc/pve is not empty: ${stdout}`);
  return async () => void (await rig.inNode(['umount', '/etc/pve']));
}

/** Whatever reads the rig's /etc/pve waits until the undo. Where that is no FUSE, reading .members alone does. */
export async function hangEtcPve(rig: Rig): Promise<Undo> {
  const fuse = rig.nodePids().find(({ comm }) => comm === 'bindfs');
  if (fuse !== undefined) {
    process.kill(fuse.pid, 'SIGSTOP');
    return async () => void process.kill(fuse.pid, 'SIGCONT');
  }
  const file = join(rig.info.paths.pve, '.members');
  renameSync(file, `${file}.away`);
  execFileSync('mkfifo', [file]);
  return async () => {
    closeSync(openSync(file, constants.O_RDWR | constants.O_NONBLOCK)); // lets go those who wait
    rmSync(file);
    renameSync(`${file}.away`, file);
  };
}
