import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Connection {
  readonly socket: Socket;
  /** Requests whose headers have arrived and whose responses have not ended. */
  requests: number;
  /** Has sent a whole request before. */
  proven: boolean;
}

/**
 * Caps the open connections. When they are full, one without a request gives way to the new one, those first that have
 * never sent a whole one, the oldest first: clients that connect and then say nothing, or their headers byte by byte,
 * keep nobody out.
 */
export function capConnections(server: Server, max: number): void {
  // In the order of last use, which is what a Map keeps when an entry is taken out and put in again.
  const open = new Map<string, Connection>();
  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    if (open.size >= max) {
      const idle =
        [...open].find(([, { requests, proven }]) => requests === 0 && !proven) ??
        [...open].find(([, { requests }]) => requests === 0);
      if (idle === undefined) {
        socket.destroy();
        return;
      }
      open.delete(idle[0]);
      idle[1].socket.destroy();
    }
    open.set(key, { socket, requests: 0, proven: false });
    socket.once('close', () => {
      if (open.get(key)?.socket === socket) open.delete(key);
    });
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const key = keyOf(request.socket);
    const connection = open.get(key);
    if (connection === undefined) return;
    connection.requests += 1;
    connection.proven = true;
    response.once('close', () => {
      connection.requests -= 1;
      if (open.get(key) !== connection) return;
      open.delete(key);
      open.set(key, connection);
    });
  });
}

/** By its far end: with TLS a request has another socket object than its connection. */
function keyOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
