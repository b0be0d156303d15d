import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeKeyPair } from '../lib/key-pair.ts';
import { ContainerHandle } from './handles/container-handle.ts';
import { type ConnectionInfo, NodeHandle } from './handles/node-handle.ts';
import { HOMELAB } from './homelab.ts';
import { Cluster } from './node/cluster.ts';
import { Migration } from './node/migration.ts';
import { SimulatedNode } from './node/node.ts';
import { readScenario, type ScenarioInput } from './scenario.ts';

export interface SimulatorOptions {
  /** YAML text or an object; by default the homelab scenario. */
  readonly scenario?: string | ScenarioInput;
  /** The port of the first node; by default a free port. */
  readonly port?: number;
}

/** A simulated Proxmox VE cluster behind real SSH servers on loopback ports. Its methods give tests direct access to it. */
export class Simulator {
  readonly #cluster: Cluster;
  readonly #handles: readonly NodeHandle[];
  /** Removes the files for clients; called at the latest at the end of the process. */
  readonly #cleanUp: () => void;

  private constructor(cluster: Cluster, handles: readonly NodeHandle[], cleanUp: () => void) {
    this.#cluster = cluster;
    this.#handles = handles;
    this.#cleanUp = cleanUp;
  }

  /** @throws Error with the errors of the scenario */
  static async start(options: SimulatorOptions = {}): Promise<Simulator> {
    const scenario = readScenario(options.scenario ?? HOMELAB);
    const cluster = new Cluster(scenario);
    const directory = mkdtempSync(path.join(tmpdir(), 'proxmox-mcp-simulator-'));
    const cleanUp = () => rmSync(directory, { recursive: true, force: true });
    process.once('exit', cleanUp);
    const key = await makeKeyPair('simulator');
    const keyPath = path.join(directory, 'id_ed25519');
    writeFileSync(keyPath, key.privateKey, { mode: 0o600 });
    chmodSync(keyPath, 0o600);
    const files = (name: string) => ({
      keyPath,
      knownHostsPath: path.join(directory, `known_hosts_${name}`),
    });
    const handles = await startNodes(cluster, options.port, key.publicKey, files);
    cluster.writeCorosyncConfig();
    return new Simulator(cluster, handles, cleanUp);
  }

  /** Stops servers, closes connections and removes the files for clients. */
  async stop(): Promise<void> {
    for (const handle of this.#handles) await handle.close();
    for (const { guests } of this.#cluster.nodes) for (const guest of guests.values()) guest.halt();
    process.off('exit', this.#cleanUp);
    this.#cleanUp();
  }

  /** By default the first node of the scenario. */
  node(name?: string): NodeHandle {
    const handle = name === undefined ? this.#handles[0] : this.#handles.find((each) => each.name === name);
    if (!handle) throw new Error(`the scenario has no node ${name ?? ''}`);
    return handle;
  }

  container(vmid: number): ContainerHandle {
    const guest = this.#cluster.guest(vmid);
    const node = this.#cluster.nodes.find(({ guests }) => guests.has(vmid));
    if (!guest || !node) throw new Error(`the scenario has no container ${vmid}`);
    return new ContainerHandle(guest, node);
  }

  /** Closes all connections to all nodes; their commands continue. @returns the number of connections */
  dropConnections(): number {
    return this.#handles.reduce((sum, handle) => sum + handle.dropConnections(), 0);
  }

  /** Whether there is a quorum; undefined: computed from the nodes that see each other. */
  set quorate(value: boolean | undefined) {
    this.#cluster.quorate = value;
    this.#followQuorum();
  }

  /** Cuts or restores the network between two nodes. Clients outside can still reach both. */
  cut(a: string, b: string, on = true): void {
    this.#cluster.network.link(a, b).hangs = on;
    this.#followQuorum();
  }

  /** Delays each packet between two nodes. */
  delayBetween(a: string, b: string, ms: number): void {
    this.#cluster.network.link(a, b).delayMs = ms;
  }

  /** Begins the migration of a container: stops and locks it. The test performs the remaining steps. */
  beginMigration(vmid: number, to: string): Migration {
    return new Migration(this.#cluster, vmid, to);
  }

  /** Moves a container to another node at once. */
  migrate(vmid: number, to: string): void {
    this.beginMigration(vmid, to).finish();
  }

  /** Sets the node on which HA starts this container; undefined: its current node. */
  placeByHa(vmid: number, node: string | undefined): void {
    if (node === undefined) this.#cluster.ha.placement.delete(vmid);
    else this.#cluster.ha.placement.set(vmid, node);
  }

  /** Sets or clears the state error of its service. */
  failHa(vmid: number, on = true): void {
    if (on) this.#cluster.ha.errors.add(vmid);
    else this.#cluster.ha.errors.delete(vmid);
  }

  /** The node in whose directory the configuration of the container is. */
  ownerOf(vmid: number): string | undefined {
    return this.#cluster.ownerOf(vmid);
  }

  #followQuorum(): void {
    for (const node of this.#cluster.nodes) node.followQuorum();
  }
}

type ClientFiles = Pick<ConnectionInfo, 'keyPath' | 'knownHostsPath'>;

/** A port that is free at the first address may be in use at another; then all addresses are tried again with another port. */
const PORT_ATTEMPTS = 5;

/** Starts the nodes in order, with one port and separate addresses. */
async function startNodes(
  cluster: Cluster,
  port: number | undefined,
  authorizedKey: string,
  files: (name: string) => ClientFiles,
): Promise<NodeHandle[]> {
  for (const name of Object.keys(cluster.scenario.nodes))
    cluster.nodes.push(new SimulatedNode(name, cluster));
  for (const node of cluster.nodes) node.boot();
  const handles: NodeHandle[] = [];
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const [index, node] of cluster.nodes.entries()) {
        const address = node.scenario.address ?? loopbackAddress(index);
        const shared = handles[0]?.connection.port ?? port;
        const options = { authorizedKey, ...files(node.name), port: shared, address };
        handles.push(await NodeHandle.open(node, options));
      }
      return handles;
    } catch (error) {
      for (const handle of handles.splice(0)) await handle.close();
      cluster.network.clear();
      if (port !== undefined || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** 127.0.0.1, 127.0.0.2 and so on. */
function loopbackAddress(index: number): string {
  return `127.0.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}
