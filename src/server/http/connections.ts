import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Connection {
  readonly socket: Socket;
  /** Number of requests whose headers have arrived and whose responses have not ended. */
  requests: number;
  /** Whether it has ever sent a complete request. */
  proven: boolean;
}

/**
 * Limits open connections. At the limit, a new connection replaces one without a running request: first those that have never
 * sent a complete request, oldest first. So clients that connect and send nothing, or send their headers byte by byte, cannot
 * lock out others.
 */
export function capConnections(server: Server, max: number): void {
  // In the order of last use: an entry that is deleted and set again moves to the end of a Map.
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

/** Identifies a connection by its remote end, because with TLS a request has a different socket object. */
function keyOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
