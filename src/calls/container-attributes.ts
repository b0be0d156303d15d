import type { AttributeReader, Subject } from '../governance/policy/policy-types.ts';
import type { ServerDeps } from './call-deps.ts';

/** Reads the attributes of the container that a call is about, from what is known of the cluster if it is known. */
export function guestReader(subject: Subject, signal: AbortSignal, deps: ServerDeps): AttributeReader {
  return async (look) => {
    if (subject.vmid === null) return undefined;
    const cluster = await deps.cluster();
    return cluster.guest(subject.vmid, signal, look);
  };
}
