import { AppError } from '../lib/errors.ts';
import { type ActivePrecondition, bothPreconditions } from '../remote/precondition.ts';
import type { Precondition } from '../remote/remote-types.ts';
import type { CopyEnd, CopyOptions, CopyResult } from './proxmox-types.ts';
import type { ContainerRouter } from './routed-container.ts';

/** What a copy needs of its cluster. */
export interface CopyRouter extends Omit<ContainerRouter, 'activate'> {
  /** The name of the entry node in use; null before it is known. */
  readonly entryNode: string | null;
  activate(precondition: Precondition | null, vmid: number | null): ActivePrecondition | null;
}

/**
 * Copies a file between containers, or between a container and the entry node, on the nodes where they are. If a container has
 * moved, the copy is made again, once; a decision that depends on attributes is made again instead.
 * @throws AppError
 */
export async function copyOnNodes(router: CopyRouter, options: CopyOptions): Promise<CopyResult> {
  const { source, target, signal } = options;
  const from = router.activate(source.precondition, source.vmid);
  const shared = source.vmid === target.vmid && source.precondition === target.precondition;
  const to = shared ? from : router.activate(target.precondition, target.vmid);
  const decided = [source, target].some(({ precondition }) => precondition?.attributes != null);
  const attempt = async () => {
    const { copyFile } = await import('./files/copy-between-targets.ts');
    const found = await Promise.all([target, source].map((side) => nodeOf(router, side, signal)));
    // Its name may be known only now.
    const entry = router.entryNode;
    const [node = entry, other = entry] = found;
    if (node === other) {
      return router.onNode(node, to, (deps) => {
        const side = { ...deps, node: null };
        return copyFile({ ...side, precondition: from }, side, options);
      });
    }
    return router.onNode(other, from, (sourceDeps) =>
      router.onNode(node, to, (deps) => copyFile({ ...sourceDeps, node: other }, { ...deps, node }, options)),
    );
  };
  try {
    return await attempt();
  } catch (error) {
    // A container has moved, which each side notices before anything runs there.
    if (!(error instanceof AppError) || error.code !== 'CONTAINER_ON_OTHER_NODE') throw error;
    if (decided) throw bothPreconditions(from, to)?.refused('changed') ?? error;
    return attempt();
  }
}

/** The node of one side of a copy: that of the decision or of the container; undefined for the entry node. */
async function nodeOf(
  router: CopyRouter,
  { vmid, precondition }: CopyEnd,
  signal: AbortSignal,
): Promise<string | undefined> {
  const decided = precondition?.attributes?.node ?? precondition?.node;
  return decided ?? (vmid === null ? undefined : ((await router.ownerOf(vmid, signal)) ?? undefined));
}
