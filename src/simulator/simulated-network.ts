import type { Link, Wire } from './wire.ts';

/** The destination of a connection from a node to an address. */
export type Reached =
  | { readonly kind: 'node'; readonly wire: Wire; readonly link: Link }
  /** Outside of the cluster: an ordinary address of this or another machine. */
  | { readonly kind: 'elsewhere' };

interface Endpoint {
  readonly node: string;
  readonly host: string;
  readonly wire: Wire;
}

/** The network of the cluster: which node has which address, and the links between every two nodes. */
export class Network {
  readonly #endpoints: Endpoint[] = [];
  readonly #links = new Map<string, Link>();

  /** @param host the address of the node, as `.members` shows it */
  add(node: string, host: string, wire: Wire): void {
    this.#endpoints.push({ node, host, wire });
  }

  clear(): void {
    this.#endpoints.splice(0);
  }

  addressOf(node: string): string | undefined {
    return this.#endpoints.find((each) => each.node === node)?.host;
  }

  /** The link between two nodes, the same in both directions; created at first use. */
  link(a: string, b: string): Link {
    const key = [a, b].sort().join(' ');
    const known = this.#links.get(key);
    if (known) return known;
    const link: Link = { delayMs: 0, bytesPerSecond: 0, hangs: false };
    this.#links.set(key, link);
    return link;
  }

  /** Whether corosync messages arrive at the other node. */
  connected(a: string, b: string): boolean {
    return a === b || this.#links.get([a, b].sort().join(' '))?.hangs !== true;
  }

  /** The destination of a connection from a node to an address or node name and a port. */
  reach(from: string, host: string, port: number): Reached {
    for (const each of this.#endpoints) {
      const named = each.node === host || (each.host === host && each.wire.publishedPort === port);
      if (named) return { kind: 'node', wire: each.wire, link: this.link(from, each.node) };
    }
    return { kind: 'elsewhere' };
  }
}
