import { once } from 'node:events';
import net from 'node:net';
import { type Duplex, Transform, type TransformCallback } from 'node:stream';

/** The state of a link. */
export interface Link {
  /** In one direction, in ms. */
  delayMs: number;
  /** 0: unlimited. */
  bytesPerSecond: number;
  /** No data is transferred, and no connection is closed. */
  hangs: boolean;
}

/** The link between clients and one SSH server, which can be slow, hang, or drop connections. */
export class Wire {
  readonly link: Link = { delayMs: 0, bytesPerSecond: 0, hangs: false };
  /** The link of clients outside the cluster; it does not affect connections that other nodes forward. */
  readonly outside: Link = { delayMs: 0, bytesPerSecond: 0, hangs: false };
  /** The port of the SSH server. */
  backend: () => number;
  /** The port of the node in the cluster; differs from `port` if the server cannot listen on it. */
  publishedPort = 0;
  readonly #streams = new Set<Duplex>();
  #server: net.Server | undefined;
  #host = '127.0.0.1';
  #port = 0;
  #joins = 0;

  constructor(backend: () => number) {
    this.backend = backend;
  }

  get host(): string {
    return this.#host;
  }

  get port(): number {
    return this.#port;
  }

  /** Whether new connections are accepted. */
  get accepts(): boolean {
    return this.#server !== undefined;
  }

  /** Number of all connections so far. */
  get joins(): number {
    return this.#joins;
  }

  /** Number of open connections. */
  get connections(): number {
    return this.#streams.size / 2;
  }

  /** Accepts connections, at the same address as before if there was one. @throws Error EADDRINUSE, EADDRNOTAVAIL */
  async open(port = this.#port, host = this.#host): Promise<void> {
    const server = net.createServer({ noDelay: true }, (client) => this.join(client, this.outside));
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    this.#host = host;
    this.#port = typeof address === 'object' && address !== null ? address.port : 0;
    if (this.publishedPort === 0) this.publishedPort = this.#port;
    this.#server = server;
  }

  /** Closes all connections. @returns their number */
  drop(): number {
    const count = this.connections;
    for (const stream of this.#streams) stream.destroy();
    return count;
  }

  /** Closes all connections and accepts no new ones. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.drop();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /**
   * Connects a stream to the SSH server.
   * @param first the link before that of the server
   */
  join(client: Duplex, first: Link): void {
    this.#joins += 1;
    const inner = net.connect({ port: this.backend(), host: '127.0.0.1', noDelay: true });
    for (const [stream, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      this.#streams.add(stream);
      stream.on('error', () => {});
      stream.on('close', () => {
        this.#streams.delete(stream);
        other.destroy();
      });
    }
    const links = [first, this.link];
    client.pipe(new Slow(links)).pipe(inner);
    inner.pipe(new Slow(links)).pipe(client);
  }
}

/** Passes bytes on as the slowest of the links allows. */
class Slow extends Transform {
  readonly #links: readonly Link[];

  constructor(links: readonly Link[]) {
    super();
    this.#links = links;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#links.some(({ hangs }) => hangs)) {
      setTimeout(() => this._transform(chunk, _encoding, done), 50).unref();
      return;
    }
    let wait = 0;
    for (const { delayMs, bytesPerSecond } of this.#links) {
      wait += delayMs + (bytesPerSecond > 0 ? (chunk.length / bytesPerSecond) * 1000 : 0);
    }
    if (wait < 1) done(null, chunk);
    else setTimeout(() => done(null, chunk), wait);
  }
}
