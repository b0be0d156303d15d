/** The facts that the health report is based on. */
export interface Node {
  /** Number of open SSH connections. */
  sshConnections(): number;
  /** One round trip to the node. Rejects if the node cannot be reached. */
  reach(signal: AbortSignal): Promise<void>;
}

const SERVICE = 'proxmox-mcp-server';
const REACH_MS = 5000;
/** How long a result for the node is cached, so that clients without a token cannot cause many SSH requests. */
const HOLDS_MS = 5000;

/** Handles GET /health, which needs no token: whether the server runs and, with `?ready`, whether the node can be reached. */
export function createHealth(node: Node): (ready: boolean) => Promise<Response> {
  let last: { readonly at: number; readonly reached: Promise<boolean> } | undefined;
  const reached = (): Promise<boolean> => {
    if (last === undefined || performance.now() - last.at > HOLDS_MS) {
      last = { at: performance.now(), reached: tryToReach(node) };
    }
    return last.reached;
  };
  return async (ready) => {
    const healthy = !ready || (await reached());
    return Response.json(
      {
        status: healthy ? 'healthy' : 'unhealthy',
        service: SERVICE,
        ssh_connected: node.sshConnections() > 0,
      },
      { status: healthy ? 200 : 503, headers: { 'Cache-Control': 'no-store' } },
    );
  };
}

async function tryToReach(node: Node): Promise<boolean> {
  const signal = AbortSignal.timeout(REACH_MS);
  const late = new Promise<boolean>((resolve) => {
    signal.addEventListener('abort', () => resolve(false), { once: true });
  });
  const round = node.reach(signal).then(
    () => true,
    () => false,
  );
  return Promise.race([round, late]);
}
