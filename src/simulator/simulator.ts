import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeKeyPair } from '../lib/key-pair.ts';
import { ContainerHandle } from './handles/container-handle.ts';
import { NodeHandle } from './handles/node-handle.ts';
import { HOMELAB } from './homelab.ts';
import { Cluster } from './node/cluster.ts';
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
    const handles: NodeHandle[] = [];
    for (const name of Object.keys(scenario.nodes)) {
      const node = new SimulatedNode(name, cluster);
      cluster.nodes.push(node);
      node.boot();
      const files = { keyPath, knownHostsPath: path.join(directory, `known_hosts_${name}`) };
      handles.push(
        await NodeHandle.open(node, {
          authorizedKey: key.publicKey,
          ...files,
          port: handles.length === 0 ? options.port : undefined,
        }),
      );
    }
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

  set quorate(value: boolean) {
    this.#cluster.quorate = value;
  }
}
