/* A process with a large simulated cluster, for the bench: it must not share its memory with the server that is measured. */
import { Simulator } from '../../src/simulator/simulator.ts';

export const NODES = 50;
const CONTAINERS_PER_NODE = 200;
const FIRST_VMID = 1_000;

export const nodeName = (index: number): string => `node${String(index + 1).padStart(2, '0')}`;

/** The running containers of a node; every tenth is stopped. */
export function runningOn(index: number): readonly number[] {
  return vmidsOf(index).filter((_, position) => position % 10 !== 0);
}

function vmidsOf(index: number): readonly number[] {
  return Array.from(
    { length: CONTAINERS_PER_NODE },
    (_, position) => FIRST_VMID + index * CONTAINERS_PER_NODE + position,
  );
}

/** A request to the process. */
export type Request = { readonly hang: number; readonly on: boolean } | 'sessions';

/** An answer of the process. */
export interface Ready {
  readonly settings: Readonly<Record<string, string>>;
}
export interface Sessions {
  /** Maximum number of sessions on one connection, over all nodes. */
  readonly peak: number;
  /** Sessions that were refused because their connection already had ten. */
  readonly refused: number;
  readonly connections: number;
}

if (process.send !== undefined) void serve(process.send.bind(process));

async function serve(send: (message: Ready | Sessions | 'done') => void): Promise<void> {
  const simulator = await Simulator.start({ scenario: { cluster: 'large', nodes: scenarioNodes() } });
  const { host, port, keyPath, knownHostsPath } = simulator.node().connection;
  process.on('message', (request: Request) => {
    if (request === 'sessions') {
      send(sessionsOf(simulator));
      return;
    }
    simulator.node(nodeName(request.hang)).hang(request.on);
    send('done');
  });
  process.once('disconnect', () => process.exit(0));
  send({
    settings: {
      I_ACCEPT_RISKS: 'true',
      HOST: host,
      SSH_PORT: String(port),
      SSH_KEY: keyPath,
      SSH_KNOWN_HOSTS: knownHostsPath,
      SSH_HOST_KEY_POLICY: 'strict',
    },
  });
}

function scenarioNodes() {
  return Object.fromEntries(
    Array.from({ length: NODES }, (_, index) => {
      const running = new Set(runningOn(index));
      const containers = vmidsOf(index).map((vmid) => [
        String(vmid),
        { name: `ct${vmid}`, flavour: 'alpine' as const, running: running.has(vmid), tags: ['bench'] },
      ]);
      return [nodeName(index), { containers: Object.fromEntries(containers) }];
    }),
  );
}

function sessionsOf(simulator: Simulator): Sessions {
  const nodes = Array.from({ length: NODES }, (_, index) => simulator.node(nodeName(index)));
  return {
    peak: Math.max(...nodes.map(({ sessions }) => sessions.peak)),
    refused: nodes.reduce((sum, { sessions }) => sum + sessions.refused, 0),
    connections: nodes.reduce((sum, { connections }) => sum + connections.open, 0),
  };
}
