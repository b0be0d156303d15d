import type { Undo } from '../rig/lock.ts';
import type { Outcome } from '../rig/run.ts';
import type { NodeName } from './three-nodes.ts';

/** A container on its way from one node to another. */
export interface MigrationUnderTest {
  /** Its configuration is on the target now, and still locked. */
  move(): Promise<void>;
  /** It is unlocked and runs on the target. */
  finish(): Promise<void>;
}

/** What a cluster of three nodes must offer, beside SSH, to the cases that run on the simulator and on the rig. */
export interface ClusterUnderTest {
  /** Settings with which a server enters by these nodes; it knows the host keys of these alone. */
  settings(entries: readonly NodeName[]): Record<string, string>;

  // --- looking and changing, without SSH ------------------------------------------------------------------
  /** Runs a command line as root on a node. */
  onNode(node: NodeName, line: string): Promise<Outcome>;
  /** Runs a command line in a container, on whichever node it is. */
  inContainer(vmid: number, line: string): Promise<Outcome>;
  isRunning(vmid: number): boolean;
  /** The node in whose directory the configuration is. */
  ownerOf(vmid: number): string | undefined;
  /** Processes of a node whose arguments contain the text, those of its containers included. */
  processes(node: NodeName, text: string): readonly { readonly pid: number; readonly cmdline: string }[];

  // --- trouble; all of it ends with `reset` ---------------------------------------------------------------
  /** Nothing gets through to it or from it: the others see it offline, and it has no quorum. */
  isolate(node: NodeName): Promise<Undo>;
  /** Nothing gets through to it from outside; the other nodes still connect to it. */
  hideFromOutside(node: NodeName): Promise<Undo>;
  /** sshd is stopped and refuses connections; the node stays a member. */
  stopSsh(node: NodeName): Promise<Undo>;
  /** Breaks its SSH connections; commands go on. */
  dropConnections(node: NodeName): void;
  /** Accepts no key. */
  refuseLogins(node: NodeName): Promise<Undo>;
  /** Presents another host key than the one that the cluster publishes. */
  presentOtherHostKey(node: NodeName): Promise<Undo>;
  /** Reading its /etc/pve hangs. */
  hangPmxcfs(node: NodeName): Promise<Undo>;
  /** No node has a quorum, although all nodes see each other. */
  loseQuorum(): Promise<Undo>;
  /** Stops and locks a container for its migration to another node. */
  beginMigration(vmid: number, to: NodeName): Promise<MigrationUnderTest>;
  /** HA manages the container, and starts it on that node. */
  manageByHa(vmid: number, startsOn: NodeName): Promise<Undo>;
  /** All as it was in the beginning. */
  reset(): Promise<void>;
}
