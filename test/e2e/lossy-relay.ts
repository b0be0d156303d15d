import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A packet with a request is longer than this; keepalives are shorter. */
const REQUEST_BYTES = 300;
/** Without traffic for this long, in ms, nothing is being prepared for the next call. */
const CALM_MS = 400;

type Loss = (request: Buffer, client: Socket, server: Socket) => void;

/** A TCP relay in front of an SSH server that loses a connection at a chosen moment. */
export class LossyRelay {
  readonly #server: Server;
  #onRequest: Loss | undefined;
  #lastTraffic = performance.now();
  readonly #open = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(target: { readonly host: string; readonly port: number }): Promise<LossyRelay> {
    const server = createServer({ noDelay: true });
    const relay = new LossyRelay(server);
    server.on('connection', (client) => relay.#join(client, connect({ ...target, noDelay: true })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Waits until there is no traffic, so that the next packet from the client is a request. */
  async calm(): Promise<void> {
    while (performance.now() - this.#lastTraffic < CALM_MS) await sleep(20);
  }

  /** The next request does not arrive, and the connection is lost. @returns resolves at the loss */
  loseRequest(): Promise<void> {
    return this.#once((_request, client, server) => {
      client.destroy();
      server.destroy();
    });
  }

  /** The next request arrives, but the connection is lost before its answer does. @returns resolves when the request is sent */
  loseAnswer(): Promise<void> {
    return this.#once((request, client, server) => {
      server.removeAllListeners('data').once('data', () => {
        client.destroy();
        server.destroy();
      });
      server.write(request);
    });
  }

  /**
   * The client loses the connection with the next request, which the server receives only later.
   * @returns after the loss, a function that delivers the request and waits until the server has answered it
   */
  async delayRequest(): Promise<() => Promise<void>> {
    let deliver: (() => Promise<void>) | undefined;
    const requests: Buffer[] = [];
    let lost = Promise.resolve();
    await this.#once((request, client, server) => {
      requests.push(request);
      client.removeAllListeners('data').on('data', (chunk) => {
        this.#lastTraffic = performance.now();
        requests.push(chunk);
      });
      // A long request has several packets.
      lost = this.calm().then(() => void client.removeAllListeners('close').destroy());
      deliver = async () => {
        const answered = new Promise((resolve) => server.removeAllListeners('data').once('data', resolve));
        server.on('data', () => {
          this.#lastTraffic = performance.now();
        });
        server.write(Buffer.concat(requests));
        await answered;
        await this.calm();
        server.destroy();
      };
    });
    await lost;
    if (deliver === undefined) throw new Error('there was no request');
    return deliver;
  }

  /** Open connections transfer nothing any more, and are not closed. New ones work. */
  freeze(): void {
    for (const socket of this.#open) socket.removeAllListeners('data').resume();
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #once(loss: Loss): Promise<void> {
    return new Promise((resolve) => {
      this.#onRequest = (...parts) => {
        this.#onRequest = undefined;
        loss(...parts);
        resolve();
      };
    });
  }

  #join(client: Socket, server: Socket): void {
    client.on('data', (chunk) => {
      this.#lastTraffic = performance.now();
      if (this.#onRequest !== undefined && chunk.length > REQUEST_BYTES)
        this.#onRequest(chunk, client, server);
      else server.write(chunk);
    });
    server.on('data', (chunk) => {
      this.#lastTraffic = performance.now();
      client.write(chunk);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => {});
      this.#open.add(one);
      one.on('close', () => {
        this.#open.delete(one);
        other.destroy();
      });
    }
  }
}
