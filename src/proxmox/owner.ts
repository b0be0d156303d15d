import { AppError, type ErrorCode } from '../lib/errors.ts';
import { isNotConnected } from '../ssh/pool-errors.ts';

/** Looks up the node of a container. */
export interface OwnerLookup {
  /**
   * The node of a container, from the cache if possible. null: the entry node, because the cluster's files cannot be read.
   * @param look `again`: read from the cluster even if cached
   * @throws AppError CONTAINER_NOT_FOUND, NOT_A_CONTAINER, CANCELLED
   */
  ownerOf(vmid: number, signal: AbortSignal, look?: 'again'): Promise<string | null>;
}

/** The node that the policy decision was made on, and the error where the container is on another one. */
export interface DecidedNode {
  readonly node: string;
  moved(): AppError;
}

/**
 * Does work on the node of a container. If the container has moved, which is noticed before anything runs, the work is done
 * on its new node, once; a decision that names the node is made again instead.
 */
export async function onOwner<T>(
  lookup: OwnerLookup,
  { vmid, signal, decided }: { vmid: number; signal: AbortSignal; decided?: DecidedNode | undefined },
  work: (node: string | null) => Promise<T>,
): Promise<T> {
  const node = decided?.node ?? (await lookup.ownerOf(vmid, signal));
  try {
    return await work(node);
  } catch (error) {
    const moved = hasCode(error, 'CONTAINER_ON_OTHER_NODE', 'CONTAINER_NOT_FOUND');
    if (!moved && !isNotConnected(error)) throw error;
    if (decided !== undefined && hasCode(error, 'CONTAINER_ON_OTHER_NODE')) throw decided.moved();
    const now = await lookup.ownerOf(vmid, signal, 'again').catch((unknown: unknown) => {
      if (hasCode(unknown, 'CONTAINER_NOT_FOUND', 'NOT_A_CONTAINER')) throw unknown;
      return null;
    });
    if (now === null || now === node) throw error;
    if (decided !== undefined) throw decided.moved();
    return work(now);
  }
}

function hasCode(error: unknown, ...codes: readonly ErrorCode[]): boolean {
  return error instanceof AppError && codes.includes(error.code);
}
