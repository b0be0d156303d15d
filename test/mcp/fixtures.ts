import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { closedPort } from '../ports.ts';
import { connectClient, type Era, type TestClient } from './client.ts';

export interface SilentNode {
  readonly port: number;
  /** Number of connections so far. */
  connections(): number;
  close(): void;
}

/** A node that accepts connections and then sends nothing, so that calls keep running. */
export async function silentNode(): Promise<SilentNode> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: () => sockets.length,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Settings of a server whose node cannot be reached: everything before the connection works. */
export async function settingsWithoutNode(): Promise<Record<string, string>> {
  return {
    I_ACCEPT_RISKS: 'true',
    HOST: '127.0.0.1',
    SSH_PORT: String(await closedPort()),
    SSH_USERNAME: 'root',
    SSH_PASSWORD: 'not-a-real-password',
    SSH_HOST_KEY_POLICY: 'insecure',
    LOG_LEVEL: 'info',
  };
}

export async function connectWithoutNode(
  era: Era,
  env: Readonly<Record<string, string>> = {},
): Promise<TestClient> {
  return connectClient({ era, env: { ...(await settingsWithoutNode()), ...env } });
}
