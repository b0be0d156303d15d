import '../../../lib/zod-without-jit.ts';
import { type LoadInput, loadConfig } from '../../../config/load.ts';
import { serveOnStdio } from '../../../server/stdio.ts';
import { gracefulShutdown, SHUTDOWN_MS } from '../../graceful-shutdown.ts';
import { openApp } from '../../open-app.ts';
import { configErrorsText, wantsColor } from '../../output/config-errors.ts';

/** Time to flush the output and exit, within SHUTDOWN_MS. */
const RESERVE_MS = 300;

/** `proxmox-mcp serve`: serves one client on stdin/stdout until it disconnects, or HTTP clients with --http; until a signal. */
export async function serve(input: LoadInput): Promise<void> {
  const loaded = loadConfig(input);
  for (const warning of loaded.warnings) process.stderr.write(`proxmox-mcp: ${warning}\n`);
  if (!loaded.ok) {
    process.stderr.write(configErrorsText(loaded.errors, wantsColor(process.stderr)));
    process.exitCode = 2;
    return;
  }
  if (loaded.config.http) {
    const { serveOnHttp } = await import('../http/http.ts');
    return serveOnHttp(input);
  }
  const app = await openApp(loaded.config);
  if (app === undefined) return;
  const service = serveOnStdio(app);
  // End the calls first: killing their commands needs the connections.
  const { end } = gracefulShutdown(app, () =>
    Promise.allSettled([service.close(), app.close(SHUTDOWN_MS - RESERVE_MS)]),
  );
  void service.closed.then(() => end('client disconnected'));
  if (process.stdin.isTTY) {
    process.stderr.write(
      'proxmox-mcp is waiting for an MCP client on stdin. Press Ctrl-C to exit.\nHelp: proxmox-mcp --help\n',
    );
  }
}
