import { createServer } from 'node:net';

/**
 * Below the ports that systems give to connections and to servers that ask for any port (from 32768 on by default), and below those
 * of the rig. Workers share nothing here.
 */
const FIRST = 10_000;
const EACH = 1_000;
const worker = Number(process.env.VITEST_POOL_ID ?? 1) % 10;
// Another run of tests on this machine begins elsewhere.
let serial = process.pid;

/** A loopback port without a listener, that nothing else on this machine takes meanwhile. */
export async function closedPort(): Promise<number> {
  for (let tries = 0; tries < EACH; tries += 1) {
    serial += 1;
    const port = FIRST + worker * EACH + (serial % EACH);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
