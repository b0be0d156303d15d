import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Simulator } from '../../src/simulator/simulator.ts';
import type { Undo } from '../rig/lock.ts';
import type { ClusterUnderTest, MigrationUnderTest } from './cluster-under-test.ts';
import { NODE_NAMES, type NodeName, THREE_NODES } from './three-nodes.ts';

/** Three simulated nodes. */
export class SimulatedCluster implements ClusterUnderTest {
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'simulated-cluster-'));
  #running: Simulator | undefined;

  get simulator(): Simulator {
    if (!this.#running) throw new Error('used before the suite has begun');
    return this.#running;
  }

  async start(): Promise<void> {
    this.#running = await Simulator.start({ scenario: THREE_NODES });
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
    rmSync(this.#directory, { recursive: true, force: true });
  }

  settings(entries: readonly NodeName[]): Record<string, string> {
    const nodes = entries.map((node) => this.simulator.node(node).connection);
    const knownHosts = path.join(this.#directory, `known_hosts-${entries.join('-')}`);
    writeFileSync(knownHosts, nodes.map(({ knownHostsLine }) => `${knownHostsLine}\n`).join(''));
    const { port, keyPath } = this.simulator.node('pve1').connection;
    return {
      I_ACCEPT_RISKS: 'true',
      HOST: nodes.map(({ host }) => host).join(','),
      SSH_PORT: String(port),
      SSH_KEY: keyPath,
      SSH_KNOWN_HOSTS: knownHosts,
      SSH_HOST_KEY_POLICY: 'strict',
      LOG_LEVEL: 'debug',
    };
  }

  onNode(node: NodeName, line: string) {
    return this.simulator.node(node).run(['sh', '-c', line]);
  }

  inContainer(vmid: number, line: string) {
    return this.simulator.container(vmid).run(['sh', '-c', line]);
  }

  isRunning(vmid: number): boolean {
    return this.simulator.container(vmid).running;
  }

  ownerOf(vmid: number): string | undefined {
    return this.simulator.ownerOf(vmid);
  }

  processes(node: NodeName, text: string) {
    return this.simulator.node(node).processes(text);
  }

  async isolate(node: NodeName): Promise<Undo> {
    this.simulator.node(node).hang();
    for (const other of NODE_NAMES) if (other !== node) this.simulator.cut(node, other);
    return async () => {
      for (const other of NODE_NAMES) if (other !== node) this.simulator.cut(node, other, false);
      this.simulator.node(node).hang(false);
    };
  }

  async hideFromOutside(node: NodeName): Promise<Undo> {
    this.simulator.node(node).hangOutside();
    return async () => this.simulator.node(node).hangOutside(false);
  }

  async stopSsh(node: NodeName): Promise<Undo> {
    await this.simulator.node(node).stopSsh();
    return () => this.simulator.node(node).startSsh();
  }

  dropConnections(node: NodeName): void {
    this.simulator.node(node).dropConnections();
  }

  async refuseLogins(node: NodeName): Promise<Undo> {
    this.simulator.node(node).refuseLogins();
    return async () => this.simulator.node(node).refuseLogins(false);
  }

  async presentOtherHostKey(node: NodeName): Promise<Undo> {
    const other = NODE_NAMES.find((each) => each !== node) ?? 'pve1';
    const [, type, key] = this.simulator.node(other).connection.knownHostsLine.split(' ');
    const file = `nodes/${node}/ssh_known_hosts`;
    const undo = this.simulator.node(node).setClusterFile(file, `${node} ${type} ${key}\n`);
    return async () => undo();
  }

  async hangPmxcfs(node: NodeName): Promise<Undo> {
    this.simulator.node(node).pmxcfs = 'hangs';
    return async () => {
      this.simulator.node(node).pmxcfs = 'up';
    };
  }

  async loseQuorum(): Promise<Undo> {
    this.simulator.quorate = false;
    return async () => {
      this.simulator.quorate = undefined;
    };
  }

  async beginMigration(vmid: number, to: NodeName): Promise<MigrationUnderTest> {
    const migration = this.simulator.beginMigration(vmid, to);
    return {
      move: async () => migration.move(),
      finish: async () => migration.finish(),
    };
  }

  async manageByHa(vmid: number, startsOn: NodeName): Promise<Undo> {
    const state = this.isRunning(vmid) ? 'started' : 'stopped';
    this.simulator.node().write('/etc/pve/ha/resources.cfg', `ct: ${vmid}\n\tstate ${state}\n`);
    this.simulator.placeByHa(vmid, startsOn);
    return async () => {
      this.simulator.node().files.remove('/etc/pve/ha/resources.cfg');
      this.simulator.placeByHa(vmid, undefined);
    };
  }

  /** Starts a new cluster, which takes a tenth of a second. */
  async reset(): Promise<void> {
    await this.#running?.stop();
    await this.start();
  }
}
