import path from 'node:path';
import { RigCluster, writeKnownHosts } from '../rig/cluster.ts';
import type { Undo } from '../rig/lock.ts';
import type { ClusterUnderTest } from './cluster-under-test.ts';
import { MEMBERS, type NodeName } from './three-nodes.ts';

const RUNNING = [MEMBERS.first, MEMBERS.second, MEMBERS.moving, MEMBERS.third];

/** The rig's three nodes. */
export class RiggedCluster implements ClusterUnderTest {
  readonly #undos: Undo[] = [];
  #opened: RigCluster | undefined;

  /**
   * @param state the state directory of the running cluster
   */
  open(state: string): void {
    this.#opened = new RigCluster(state, RUNNING);
    this.#opened.remember();
  }

  get #cluster(): RigCluster {
    if (!this.#opened) throw new Error('used before the suite has begun');
    return this.#opened;
  }

  settings(entries: readonly NodeName[]): Record<string, string> {
    const knownHosts = path.join(this.#cluster.info.state, `known_hosts-${entries.join('-')}`);
    writeKnownHosts(knownHosts, this.#cluster, entries);
    return {
      I_ACCEPT_RISKS: 'true',
      HOST: entries.map((node) => this.#cluster.addressOf(node)).join(','),
      SSH_PORT: String(this.#cluster.info.port),
      SSH_KEY: this.#cluster.keyPath,
      SSH_KNOWN_HOSTS: knownHosts,
      SSH_HOST_KEY_POLICY: 'strict',
      LOG_LEVEL: 'debug',
    };
  }

  onNode(node: NodeName, line: string) {
    return this.#cluster.inNode(node, ['sh', '-c', line]);
  }

  inContainer(vmid: number, line: string) {
    return this.#cluster.inContainer(vmid, ['sh', '-c', line]);
  }

  isRunning(vmid: number): boolean {
    return this.#cluster.isRunning(vmid);
  }

  ownerOf(vmid: number): string | undefined {
    return this.#cluster.ownerOf(vmid);
  }

  processes(node: NodeName, text: string) {
    return this.#cluster.processes(node, text);
  }

  isolate(node: NodeName): Promise<Undo> {
    return this.#undone(this.#cluster.isolate(node));
  }

  hideFromOutside(node: NodeName): Promise<Undo> {
    return this.#undone(this.#cluster.hideFromOutside(node));
  }

  stopSsh(node: NodeName): Promise<Undo> {
    return this.#undone(this.#cluster.stopSsh(node));
  }

  dropConnections(node: NodeName): void {
    this.#cluster.dropConnections(node);
  }

  refuseLogins(node: NodeName): Promise<Undo> {
    return this.#undone(this.#cluster.refuseLogins(node));
  }

  presentOtherHostKey(node: NodeName): Promise<Undo> {
    return this.#undone(this.#cluster.publishOtherHostKey(node));
  }

  hangPmxcfs(node: NodeName): Promise<Undo> {
    return this.#undone(this.#cluster.hangPmxcfs(node));
  }

  loseQuorum(): Promise<Undo> {
    return this.#undone(this.#cluster.loseQuorum());
  }

  beginMigration(vmid: number, to: NodeName) {
    return this.#cluster.beginMigration(vmid, to);
  }

  manageByHa(vmid: number, startsOn: NodeName): Promise<Undo> {
    return this.#undone(this.#cluster.manageByHa(vmid, startsOn));
  }

  async reset(): Promise<void> {
    for (const undo of this.#undos.splice(0).reverse()) await undo();
    await this.#cluster.reset();
  }

  /** Undo functions, each called once, by the test or by `reset`. */
  async #undone(trouble: Promise<Undo>): Promise<Undo> {
    const undo = await trouble;
    let done = false;
    const once = async () => {
      if (done) return;
      done = true;
      await undo();
    };
    this.#undos.push(once);
    return once;
  }
}
