import { SCRIPTS } from '../../remote/scripts/index.ts';
import { shellArgv } from '../../remote/session-requests.ts';
import type { CopyOptions } from '../proxmox-types.ts';
import type { CopySource } from './copy-source.ts';

/** A script and its arguments without the word with which it reports. */
export interface Half {
  readonly script: string;
  readonly args: readonly string[];
}

/** The first half, which writes the bytes to stdout and its report to stderr. */
export function sendingHalf({ kind, path, size }: CopySource, options: CopyOptions): Half {
  return kind === 'file'
    ? { script: SCRIPTS.sendFile, args: [path, String(size)] }
    : { script: SCRIPTS.sendTree, args: [path, isRestricted(options) ? '1' : '0'] };
}

/**
 * Whether files lose their set-ID bits: on the node, a program of a container must not run with the rights of its owner, who may
 * be root.
 */
function isRestricted({ source, target }: CopyOptions): boolean {
  return source.vmid !== null && target.vmid === null;
}

/** The second half, which reads the bytes and then the verdict from stdin, and reports to stdout. */
export function receivingHalf(source: CopySource, part: string, options: CopyOptions): Half {
  const { source: from, target, overwrite } = options;
  const over = overwrite ? '1' : '0';
  const { kind, size, uid, gid } = source;
  const restricted = isRestricted(options);
  const same = from.vmid === target.vmid ? source.path : '';
  if (kind === 'directory') {
    const args = [target.path, String(size), over, part, restricted ? '1' : '0', same];
    return { script: SCRIPTS.receiveTree, args };
  }
  const mode = restricted ? withoutSetIds(source.mode) : source.mode;
  const file = [target.path, String(size), mode, String(uid), String(gid), over, part, mode];
  return { script: SCRIPTS.upload, args: [...file, same, source.holes ? '1' : '0'] };
}

function withoutSetIds(mode: string): string {
  return (Number.parseInt(mode, 8) & ~0o6000).toString(8);
}

/** @param word with which the half reports */
export function argvOf({ script, args }: Half, word: string): readonly string[] {
  return shellArgv(script, [word, ...args]);
}
