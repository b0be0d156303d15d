import net from 'node:net';
import type ssh2 from 'ssh2';
import type { SimulatedNode } from './node/node.ts';
import type { Wire } from './wire.ts';

const LINK_POLL_MS = 50;

/** Lets a client go on through this node to another node, or to another port of this machine, as a jump host does; to nowhere else. */
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

/** A packet that is lost is sent again: who connects over a link that is cut waits until it is healed. */
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
