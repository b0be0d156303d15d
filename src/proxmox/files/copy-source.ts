import { AppError } from '../../lib/errors.ts';
import { SCRIPTS } from '../../remote/scripts/index.ts';
import type { AttachTarget } from '../../remote/session-requests.ts';
import type { CopyOptions, FileFacts } from '../proxmox-types.ts';
import { type TransferDeps, TransferSession } from '../transfer/transfer-session.ts';
import { readFacts } from './read-facts.ts';

/** To look through a directory and make its tar stream once, in ms. */
export const LOOK_LIMIT_MS = 15 * 60_000;

/** What a copy sends. */
export interface CopySource extends FileFacts {
  readonly kind: 'file' | 'directory';
  /** Whether the file uses less space than its size. */
  readonly holes: boolean;
}

/** Looks at the source before anything is written. @throws AppError if it cannot be copied */
export async function lookAtSource(
  deps: TransferDeps,
  from: AttachTarget,
  options: CopyOptions,
): Promise<CopySource> {
  try {
    return { ...(await look(deps, from, SCRIPTS.sourceInfo, options)), kind: 'file' };
  } catch (error) {
    const directory = error instanceof AppError && error.code === 'IS_A_DIRECTORY';
    if (!directory || !options.recursive) throw error;
    return { ...(await look(deps, from, SCRIPTS.sourceTreeInfo, options)), kind: 'directory' };
  }
}

async function look(
  deps: TransferDeps,
  from: AttachTarget,
  script: string,
  { source, signal, recursive }: CopyOptions,
): Promise<FileFacts & Pick<CopySource, 'holes'>> {
  const request = { script, args: [source.path], signal, readsOnly: true };
  const session = await TransferSession.open(deps, from, request);
  try {
    if (recursive) session.working(LOOK_LIMIT_MS);
    let holes = false;
    const facts = await readFacts(session, ([field]) => {
      holes = field === '1';
    });
    session.finish();
    return { ...facts, holes };
  } catch (error) {
    await session.abandon();
    throw error;
  }
}
