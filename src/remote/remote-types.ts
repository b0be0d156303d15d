import type { ContainerAttributes } from './container-attributes.ts';

export { attributesOf, type ContainerAttributes } from './container-attributes.ts';

export interface FileDigest {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * What must hold on the node at the moment when a call takes effect. It is checked there in the request that does the
 * work, so that it costs no round trip; when it does not hold, nothing is run.
 */
export interface Precondition {
  /** The container still has these attributes. */
  readonly attributes: ContainerAttributes | null;
  /** Id of an approval that is redeemed by this call. */
  readonly approvalId: string | null;
  /** The bytes that an upload must send. */
  readonly source: FileDigest | null;
  readonly lockdown: LockdownFiles | null;
}

/** A file that must not exist: while it does, nothing is run. See precondition.sh for what it may contain. */
export interface LockdownFiles {
  /** In the cluster file system. */
  readonly cluster: string;
  /** A copy on the node alone, which decides while the cluster file system does not answer. */
  readonly node: string;
}

/** A process that was still there after TERM, KILL and a last look. */
export interface Survivor {
  /** As the node counts processes. */
  readonly pid: number;
  readonly name: string;
}
