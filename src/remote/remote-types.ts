import type { AttributeName, ContainerAttributes } from './container-attributes.ts';

export { type AttributeName, attributesOf, type ContainerAttributes } from './container-attributes.ts';

export interface FileDigest {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * The conditions on the node at the moment when a call takes effect. They are checked there in the request that does the work,
 * so that they need no extra round trip. If one is not met, nothing is run.
 */
export interface Precondition {
  /** The container must have these attributes. */
  readonly attributes: ContainerAttributes | null;
  /** Attributes that are not compared, because no decision depends on them; none where it is absent. */
  readonly unneeded?: readonly AttributeName[];
  /** Id of the approval that the call redeems. */
  readonly approvalId: string | null;
  /** Size and hash of the bytes that an upload must send. */
  readonly source: FileDigest | null;
  readonly lockdown: LockdownFiles | null;
  /** The node on which a call for the host must run; the one that serves where it is absent. */
  readonly node?: string;
}

/** The lockdown files, which prevent calls from running. See precondition.sh for their content. */
export interface LockdownFiles {
  /** In the cluster file system. */
  readonly cluster: string;
  /** A copy on the node only, which applies while the cluster file system does not respond. */
  readonly node: string;
}

/** A process that was still running after TERM, KILL and a final scan. */
export interface Survivor {
  /** The process id on the node. */
  readonly pid: number;
  readonly name: string;
}
