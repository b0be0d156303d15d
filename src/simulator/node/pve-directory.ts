import type { Inode } from '../files/inode.ts';

/** Names in /etc/pve whose content differs between nodes; all others are the same on every node. */
function isOwn(name: string): boolean {
  return name.startsWith('.') || ['local', 'lxc', 'qemu-server', 'openvz'].includes(name);
}

/** The entries of /etc/pve as one node sees them: the node's own, and those of the cluster. */
export class PveEntries extends Map<string, Inode> {
  #shared: Map<string, Inode>;

  constructor(shared: Map<string, Inode>) {
    super();
    this.#shared = shared;
  }

  /** Shows another state of the cluster from now on, as a node does after losing the others. */
  show(shared: Map<string, Inode>): void {
    this.#shared = shared;
  }

  /** Whether it shows that state, and not a copy. */
  shows(shared: Map<string, Inode>): boolean {
    return this.#shared === shared;
  }

  override get(name: string): Inode | undefined {
    return super.get(name) ?? this.#shared.get(name);
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  override set(name: string, inode: Inode): this {
    if (isOwn(name)) super.set(name, inode);
    else this.#shared.set(name, inode);
    return this;
  }

  override delete(name: string): boolean {
    return isOwn(name) ? super.delete(name) : this.#shared.delete(name);
  }

  override keys(): MapIterator<string> {
    return [...super.keys(), ...this.#shared.keys()].values();
  }

  override entries(): MapIterator<[string, Inode]> {
    return [...super.entries(), ...this.#shared.entries()].values();
  }

  override [Symbol.iterator](): MapIterator<[string, Inode]> {
    return this.entries();
  }

  override get size(): number {
    return super.size + this.#shared.size;
  }
}
