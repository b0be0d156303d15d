import net from 'node:net';
import type ssh2 from 'ssh2';
import type { SimulatedNode } from './node/node.ts';
import type { Wire } from './wire.ts';

const LINK_POLL_MS = 50;

/**
 * Forwards connections of a client to another node or another port of this machine, as a jump host does, and refuses all other
 * destinations.
 */
export function serveForwarding(client: ssh2.Connection, node: SimulatedNode): void {
  let open = true;
  client.once('close', () => {
    open = false;
  });
  client.on('tcpip', (accept, reject, { destIP, destPort }) => {
    const reached = node.cluster.network.reach(node.name, destIP, destPort);
    if (reached.kind === 'node') {
      const { wire, link } = reached;
      connectWhenHealed(
        link,
        () => joinNode(wire, link, accept, reject),
        () => open,
      );
    } else if (destIP === '127.0.0.1' || destIP === 'localhost') {
      connectLocally(destPort, accept, reject);
    } else reject();
  });
}

type Accept = () => ssh2.ServerChannel;

/** Lost packets are sent again, so a connection over a cut link waits until the link works again. */
function connectWhenHealed(link: { hangs: boolean }, connect: () => void, waiting: () => boolean): void {
  if (!link.hangs) connect();
  else if (waiting()) setTimeout(() => connectWhenHealed(link, connect, waiting), LINK_POLL_MS).unref();
}

function joinNode(wire: Wire, link: Wire['link'], accept: Accept, reject: () => void): void {
  if (!wire.accepts) {
    reject();
    return;
  }
  const channel = accept();
  channel.on('error', () => {});
  wire.join(channel, link);
}

function connectLocally(port: number, accept: Accept, reject: () => void): void {
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
  socket.once('error', reject);
  socket.once('connect', () => {
    socket.off('error', reject);
    const channel = accept();
    channel.on('error', () => socket.destroy());
    socket.on('error', () => channel.end());
    channel.pipe(socket).pipe(channel);
    channel.on('close', () => socket.destroy());
  });
}
