import net from 'node:net';
import type ssh2 from 'ssh2';

/** Forwards a client to another port of this machine only, as a jump host does. */
export function serveForwarding(client: ssh2.Connection): void {
  client.on('tcpip', (accept, reject, { destIP, destPort }) => {
    if (destIP !== '127.0.0.1' && destIP !== 'localhost') {
      reject();
      return;
    }
    const socket = net.connect({ host: '127.0.0.1', port: destPort, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      const channel = accept();
      channel.on('error', () => socket.destroy());
      socket.on('error', () => channel.end());
      channel.pipe(socket).pipe(channel);
      channel.on('close', () => socket.destroy());
    });
  });
}
