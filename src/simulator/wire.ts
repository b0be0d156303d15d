import { once } from 'node:events';
import net from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';

/** How a link behaves. */
export interface Link {
  /** One way, in ms. */
  delayMs: number;
  /** 0: as fast as it goes. */
  bytesPerSecond: number;
  /** Nothing gets through any more, and nobody is told. */
  hangs: boolean;
}

/** The wire between clients and one SSH server: it can be slow, hang, break and be pulled out. */
export class Wire {
  readonly link: Link = { delayMs: 0, bytesPerSecond: 0, hangs: false };
  /** The port behind. */
  backend: () => number;
  readonly #sockets = new Set<net.Socket>();
  #server: net.Server | undefined;
  #port = 0;

  constructor(backend: () => number) {
    this.backend = backend;
  }

  get port(): number {
    return this.#port;
  }

  /** Accepts connections, on the same port as before if there was one. */
  async open(port = this.#port): Promise<void> {
    const server = net.createServer({ noDelay: true }, (client) => this.#join(client));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#server = server;
  }

  /** Breaks all connections. @returns how many there were */
  drop(): number {
    const count = this.#sockets.size / 2;
    for (const socket of this.#sockets) socket.destroy();
    return count;
  }

  /** Breaks all connections and takes no new ones. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.drop();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  #join(client: net.Socket): void {
    const inner = net.connect({ port: this.backend(), host: '127.0.0.1', noDelay: true });
    for (const [socket, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(new Slow(this.link)).pipe(inner);
    inner.pipe(new Slow(this.link)).pipe(client);
  }
}

/** Passes bytes on as the link allows. */
class Slow extends Transform {
  readonly #link: Link;

  constructor(link: Link) {
    super();
    this.#link = link;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const { delayMs, bytesPerSecond, hangs } = this.#link;
    if (hangs) {
      setTimeout(() => this._transform(chunk, _encoding, done), 50).unref();
      return;
    }
    const wait = delayMs + (bytesPerSecond > 0 ? (chunk.length / bytesPerSecond) * 1000 : 0);
    if (wait < 1) done(null, chunk);
    else setTimeout(() => done(null, chunk), wait);
  }
}
