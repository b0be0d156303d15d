import '../../../lib/zod-without-jit.ts';
import { type LoadInput, loadConfig } from '../../../config/load.ts';
import { serveOnStdio } from '../../../server/stdio.ts';
import { gracefulShutdown, SHUTDOWN_MS } from '../../graceful-shutdown.ts';
import { openApp } from '../../open-app.ts';
import { faultsText, wantsColour } from '../../output/config-errors.ts';

/** Left for flushing what the client still reads and for the process to end. */
const RESERVE_MS = 300;

/** Serves one client on stdin and stdout until it leaves, or with --http many; until we are told to end. */
export async function serve(input: LoadInput): Promise<void> {
  const loaded = loadConfig(input);
  for (const warning of loaded.warnings) process.stderr.write(`proxmox-mcp: ${warning}\n`);
  if (!loaded.ok) {
    process.stderr.write(faultsText(loaded.faults, wantsColour(process.stderr)));
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
  // Calls first, so that their commands are killed while the connections are still there.
  const { end } = gracefulShutdown(app, () =>
    Promise.allSettled([service.close(), app.close(SHUTDOWN_MS - RESERVE_MS)]),
  );
  void service.closed.then(() => end('left'));
  if (process.stdin.isTTY) {
    process.stderr.write(
      'proxmox-mcp waits for an MCP client on stdin; Ctrl-C ends it. Help: proxmox-mcp --help\n',
    );
  }
}
