import { type DirectoryInode, type Inode, makeVolume } from '../files/inode.ts';
import { VirtualFs } from '../files/virtual-fs.ts';
import type { Guest } from '../guest/guest.ts';
import type { Scenario } from '../scenario.ts';
import { Network } from '../simulated-network.ts';
import { corosyncConfig, storageConfig } from './cluster-files.ts';
import { configText } from './config-text.ts';
import type { SimulatedNode } from './node.ts';

export interface ListedGuest {
  readonly vmid: number;
  readonly node: string;
  readonly type: 'lxc' | 'qemu';
  /** When its configuration was last written. */
  readonly writtenAt: Date;
}

/** The shared state of the nodes: the files of /etc/pve, the network, and pending actions of the HA manager. */
export class Cluster {
  readonly scenario: Scenario;
  readonly nodes: SimulatedNode[] = [];
  readonly network = new Network();
  readonly ha = {
    /** The node on which HA starts a container; by default the container's node. */
    placement: new Map<number, string>(),
    /** Services in state error. */
    errors: new Set<number>(),
    /** Services with a pending request. */
    pending: new Set<number>(),
  };
  /** Whether there is a quorum; undefined: computed from the nodes that see each other. */
  quorate: boolean | undefined;
  #version = 7;
  #listed = '';
  readonly #files: VirtualFs;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.quorate = scenario.quorate;
    this.#files = new VirtualFs(makeVolume({ device: '/dev/fuse', type: 'fuse' }));
    this.#files.makeDirectories('/ha');
    this.write('/storage.cfg', storageConfig(scenario));
    for (const [name, { containers, machines }] of Object.entries(scenario.nodes)) {
      this.#files.makeDirectories(`/nodes/${name}/lxc`);
      this.#files.makeDirectories(`/nodes/${name}/qemu-server`);
      for (const [vmid, container] of Object.entries(containers)) {
        this.writeConfig(name, Number(vmid), configText(Number(vmid), container));
      }
      for (const [vmid, machine] of Object.entries(machines)) {
        const path = `/nodes/${name}/qemu-server/${vmid}.conf`;
        this.#files.write(path, `name: ${machine.name}\ncores: 2\nmemory: 2048\n`, { mode: 0o640 });
      }
    }
  }

  /** The part of /etc/pve that is the same on every node. */
  get directory(): DirectoryInode {
    return this.#files.root;
  }

  /** The counter of `.vmlist`, which increases with each change of a guest, also by a program on a node. */
  get version(): number {
    const listed = this.guests()
      .map(({ vmid, node, writtenAt }) => `${vmid}${node}${writtenAt.getTime()}`)
      .join();
    if (listed !== this.#listed) this.#version += 1;
    this.#listed = listed;
    return this.#version;
  }

  node(name: string): SimulatedNode {
    const node = this.nodes.find((each) => each.name === name);
    if (!node) throw new Error(`the scenario has no node ${name}`);
    return node;
  }

  /** Publishes corosync.conf, once the addresses are known. */
  writeCorosyncConfig(): void {
    const { cluster } = this.scenario;
    if (cluster === undefined) return;
    const nodes = this.nodes.map(({ name }) => ({ name, address: this.network.addressOf(name) ?? name }));
    this.write('/corosync.conf', corosyncConfig(cluster, nodes));
  }

  guest(vmid: number): Guest | undefined {
    for (const { guests } of this.nodes) {
      const guest = guests.get(vmid);
      if (guest) return guest;
    }
    return undefined;
  }

  /** The node in whose directory the configuration is. */
  ownerOf(vmid: number): string | undefined {
    return Object.keys(this.scenario.nodes).find((node) => this.readConfig(node, vmid) !== undefined);
  }

  /** Moves a stopped container to another node: renames its configuration once, and moves its files, as on shared storage. */
  moveGuest(vmid: number, to: string): void {
    const from = this.ownerOf(vmid);
    if (from !== undefined && from !== to) {
      this.#files.rename(`/nodes/${from}/lxc/${vmid}.conf`, `/nodes/${to}/lxc/${vmid}.conf`);
    }
    const target = this.node(to);
    for (const { guests } of this.nodes) {
      const guest = guests.get(vmid);
      if (!guest || guests === target.guests) continue;
      guest.moveTo(target.table);
      guests.delete(vmid);
      target.guests.set(vmid, guest);
    }
  }

  /**
   * All guests, including virtual machines.
   * @param directory /etc/pve as one node sees it; by default the cluster's
   */
  guests(directory = this.directory): ListedGuest[] {
    const nodes = entriesOf(directory.entries.get('nodes'));
    return Object.keys(this.scenario.nodes).flatMap((node) => {
      const own = entriesOf(nodes?.get(node));
      return [...listed(own, node, 'lxc'), ...listed(own, node, 'qemu')];
    });
  }

  readConfig(node: string, vmid: number): string | undefined {
    return this.read(`/nodes/${node}/lxc/${vmid}.conf`);
  }

  writeConfig(node: string, vmid: number, text: string | undefined): void {
    this.#version += 1;
    const path = `/nodes/${node}/lxc/${vmid}.conf`;
    if (text !== undefined) this.#files.write(path, text, { mode: 0o640 });
    else if (this.#files.exists(path)) this.#files.remove(path);
  }

  /** The text of a file below /etc/pve; undefined if there is none. */
  read(path: string): string | undefined {
    const inode = this.#files.find(path);
    return inode === undefined || inode.kind === 'directory' ? undefined : this.#files.readText(path);
  }

  write(path: string, text: string): void {
    this.#files.write(path, text, { parents: true, mode: 0o640 });
  }

  /** A file whose content is generated at each read. */
  generate(path: string, content: () => string): void {
    this.#files.generate(path, content, 0o640);
  }
}

function entriesOf(inode: Inode | undefined): Map<string, Inode> | undefined {
  return inode?.kind === 'directory' ? inode.entries : undefined;
}

function listed(own: Map<string, Inode> | undefined, node: string, type: ListedGuest['type']): ListedGuest[] {
  const files = entriesOf(own?.get(type === 'lxc' ? 'lxc' : 'qemu-server')) ?? [];
  return [...files].flatMap(([name, { mtime }]) => {
    const vmid = /^(\d+)\.conf$/.exec(name)?.[1];
    return vmid === undefined ? [] : [{ vmid: Number(vmid), node, type, writtenAt: mtime }];
  });
}
