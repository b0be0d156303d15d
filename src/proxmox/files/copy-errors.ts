import { AppError } from '../../lib/errors.ts';
import type { CopyOptions } from '../proxmox-types.ts';
import type { CopySource } from './copy-source.ts';

/** A directory cannot be copied into itself, and a copy must not replace what it is made of. */
export function refuseOverlap({ path: from }: CopySource, to: string, { source, target }: CopyOptions): void {
  if (source.vmid !== target.vmid) return;
  const why =
    from === to
      ? 'is the source itself'
      : to.startsWith(`${from}/`)
        ? 'is inside the source'
        : from.startsWith(`${to}/`)
          ? 'contains the source'
          : undefined;
  if (why === undefined) return;
  throw new AppError(
    'INVALID_INPUT',
    `The target ${to} ${why}, ${from}. Nothing was copied.`,
    'Use a target outside of the source.',
  );
}

/** What to do if the target cannot have the modes and owners of the source. */
const NO_OWNERS =
  'An unprivileged container has only some user IDs, and some file systems (CIFS, exFAT, FUSE) have no owners and modes. Copy to a directory elsewhere and continue with `cp` there, or change the owner of the source.';

/** The programs reported success, but the file system of the target has other modes or owners than the source. */
export function rightsDiffer(file: string): AppError {
  return new AppError(
    'TRANSFER_FAILED',
    `The modes or owners in ${file} differ from those of the source, so the copy was removed.`,
    NO_OWNERS,
  );
}

/** Mode and owner are those of the source, so no argument can be left out. */
export function forCopy(error: unknown): unknown {
  if (
    !(error instanceof AppError) ||
    !/^The (permissions|owner or group) could not be set/.test(error.message)
  )
    return error;
  return new AppError(error.code, error.message, NO_OWNERS);
}

export function changedMeanwhile(file: string): AppError {
  return new AppError(
    'FILE_CHANGED',
    `${file} changed while it was copied: the hashes of source and copy differ. The copy was removed.`,
    'The target was not changed. Call again while no program writes to the source.',
  );
}
