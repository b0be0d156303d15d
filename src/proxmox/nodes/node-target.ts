import type { Routes } from '../../ssh/route-choice.ts';
import type { SshTarget, TrustedHostKeys } from '../../ssh/ssh-types.ts';

/** Address of a node; the port of the entry node if absent. */
export interface NodeAddress {
  readonly host: string;
  readonly port?: number;
}

/**
 * The routes to another node of the cluster: with the login of the entry node, directly and through the entry node. As
 * Proxmox VE does between its nodes, the host key is looked up by the name of the node, and only keys that the cluster knows
 * are accepted. Pure.
 */
export function routesToNode(
  name: string,
  address: NodeAddress,
  entry: SshTarget,
  keys: TrustedHostKeys,
): Routes {
  const direct: SshTarget = {
    ...entry,
    host: address.host,
    port: address.port ?? entry.port,
    hostKeyAlias: name,
    hostKeyPolicy: entry.hostKeyPolicy === 'insecure' ? 'insecure' : 'strict',
    trustedHostKeys: keys,
  };
  return { direct, forwarded: { ...direct, jumps: [...entry.jumps, { ...entry, jumps: [] }] } };
}
