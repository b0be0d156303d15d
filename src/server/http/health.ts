/** What health is told from. */
export interface Node {
  /** SSH connections that are up. */
  sshConnections(): number;
  /** One round trip. Rejects when there is none. */
  reach(signal: AbortSignal): Promise<void>;
}

const SERVICE = 'proxmox-mcp-server';
const REACH_MS = 5000;
/** For so long an answer about the node holds, so that nobody without a token can keep SSH busy. */
const HOLDS_MS = 5000;

/** Answers GET /health, which anybody may ask: whether we run, and with `?ready` whether the node can be reached. */
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
