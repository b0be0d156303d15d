import { once } from 'node:events';
import net from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';

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
  /** The port of the server. */
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

  /** Accepts connections, on the previous port if there was one. */
  async open(port = this.#port): Promise<void> {
    const server = net.createServer({ noDelay: true }, (client) => this.#join(client));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#server = server;
  }

  /** Closes all connections. @returns their number */
  drop(): number {
    const count = this.#sockets.size / 2;
    for (const socket of this.#sockets) socket.destroy();
    return count;
  }

  /** Closes all connections and accepts no new ones. */
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

/** Passes on data with the delay and the rate of the link. */
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
