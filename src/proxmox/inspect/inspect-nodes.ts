import { AppError } from '../../lib/errors.ts';
import type { ContainerRouter } from '../routed-container.ts';
import { inspectContainers } from './inspect.ts';
import type { Inspection, InspectRequest } from './inspect-types.ts';
import type { ContainerRequest } from './inspected-container.ts';

interface Target extends ContainerRequest {
  /** The node that the policy decision was made on. */
  readonly decidedNode: string | undefined;
}

/**
 * Inspects containers on their nodes, all nodes at the same time. A container that has moved is looked up again once. A node
 * that cannot be used affects only its own containers.
 * @throws AppError CANCELLED, SHUTTING_DOWN
 */
export async function inspectOnNodes(router: ContainerRouter, request: InspectRequest): Promise<Inspection> {
  const targets = request.containers.map(
    ({ vmid, precondition, sections }): Target => ({
      vmid,
      sections,
      precondition: router.activate(precondition, vmid),
      decidedNode: precondition?.attributes?.node,
    }),
  );
  const first = await inspectRound(router, request, targets, undefined);
  const moved = new Set(
    first.failed.flatMap(({ vmid, error }) => (error.code === 'CONTAINER_ON_OTHER_NODE' ? [vmid] : [])),
  );
  // A decision that names the node is not valid for another one.
  const again = targets.filter(({ vmid, decidedNode }) => moved.has(vmid) && decidedNode === undefined);
  if (again.length === 0) return first;
  const second = await inspectRound(router, request, again, 'again');
  const repeated = new Set(again.map(({ vmid }) => vmid));
  return merge([{ ...first, failed: first.failed.filter(({ vmid }) => !repeated.has(vmid)) }, second]);
}

async function inspectRound(
  router: ContainerRouter,
  request: InspectRequest,
  targets: readonly Target[],
  look: 'again' | undefined,
): Promise<Inspection> {
  const { signal } = request;
  const failed: { vmid: number; error: AppError }[] = [];
  const byNode = new Map<string | null, Target[]>();
  for (const target of targets) {
    try {
      const node = target.decidedNode ?? (await router.ownerOf(target.vmid, signal, look));
      byNode.set(node, [...(byNode.get(node) ?? []), target]);
    } catch (error) {
      failed.push({ vmid: target.vmid, error: ofOneContainer(error) });
    }
  }
  const inspections = await Promise.all(
    [...byNode].map(async ([node, containers]): Promise<Inspection> => {
      try {
        return await router.onNode(node, null, ({ shell, inFlight }) =>
          inFlight.track(() => inspectContainers({ shell, inFlight }, { ...request, node, containers })),
        );
      } catch (error) {
        const reason = ofOneContainer(error);
        const all = containers.map(({ vmid }) => ({ vmid, error: reason }));
        return { containers: [], failed: all, clocks: [], survivors: [] };
      }
    }),
  );
  return merge([...inspections, { containers: [], failed, clocks: [], survivors: [] }]);
}

/**
 * @throws errors of the call as a whole, not of one container or node
 */
function ofOneContainer(error: unknown): AppError {
  if (error instanceof AppError && error.code !== 'CANCELLED' && error.code !== 'SHUTTING_DOWN') return error;
  throw error;
}

function merge(parts: readonly Inspection[]): Inspection {
  const left = parts.map(({ survivors }) => survivors);
  return {
    containers: parts.flatMap(({ containers }) => containers).toSorted((a, b) => a.vmid - b.vmid),
    failed: parts.flatMap(({ failed }) => failed),
    clocks: parts.flatMap(({ clocks }) => clocks),
    survivors: left.includes(null) ? null : left.flatMap((survivors) => survivors ?? []),
  };
}
