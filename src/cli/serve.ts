import { isatty } from 'node:tty';
import '../lib/zod-without-jit.ts';
import type { App } from '../app.ts';
import { type LoadInput, loadConfig } from '../config/load.ts';
import { serveOnStdio } from '../server/stdio.ts';
import { faultsText, wantsColour } from './faults.ts';
import { openApp } from './open-app.ts';

/** Clients kill what has not ended after 5 s; by then everything that we started on the node must be gone. */
const SHUTDOWN_MS = 4500;
/** Left for flushing what the client still reads and for the process to end. */
const RESERVE_MS = 300;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGBREAK'] as const;

/** Serves one client on stdin and stdout until it leaves or we are told to end. */
export async function serve(input: LoadInput): Promise<void> {
  const loaded = loadConfig(input);
  for (const warning of loaded.warnings) process.stderr.write(`proxmox-mcp: ${warning}\n`);
  if (!loaded.ok) {
    process.stderr.write(faultsText(loaded.faults, wantsColour(process.stderr)));
    process.exitCode = 2;
    return;
  }
  const app = await openApp(loaded.config);
  if (app === undefined) return;
  const service = serveOnStdio(app);
  let ending = false;
  const end = (reason: string, exitCode = 0): void => {
    // Whoever signals twice does not want to wait.
    if (ending && reason !== 'left') process.exit(exitCode === 0 ? 130 : exitCode);
    if (ending) return;
    ending = true;
    app.logger.debug({ reason }, 'ending');
    setTimeout(() => process.exit(exitCode), SHUTDOWN_MS).unref();
    // Calls first, so that their commands are killed while the connections are still there.
    void Promise.allSettled([service.close(), app.close(SHUTDOWN_MS - RESERVE_MS)]).then(() =>
      process.exit(exitCode),
    );
  };
  for (const signal of SIGNALS) process.on(signal, () => end(signal));
  onHangUp(app, () => end('SIGHUP'));
  void service.closed.then(() => end('left'));
  watchForAccidents(app, end);
  if (process.stdin.isTTY) {
    process.stderr.write(
      'proxmox-mcp waits for an MCP client on stdin; Ctrl-C ends it. Help: proxmox-mcp --help\n',
    );
  }
}

/**
 * SIGHUP tells a server with a policy file to read it again, as it tells daemons; others it ends. But from a terminal that was
 * closed it means that nobody is there any more, whatever else is set.
 */
function onHangUp(app: App, end: () => void): void {
  const startedOnTerminal = isatty(0);
  process.on('SIGHUP', () => {
    if (!app.listMayChange || (startedOnTerminal && !isatty(0))) return end();
    void app.policy().then((policy) => policy.reload());
  });
}

/**
 * A promise that nobody waited for spoils one call at most: it is recorded, and the server goes on. After an
 * exception that nobody caught nothing can be relied on: what runs is cleared away, and the client starts us anew.
 */
function watchForAccidents(app: App, end: (reason: string, exitCode: number) => void): void {
  process.on('unhandledRejection', (error) => {
    app.logger.error({ id: newId(), error }, 'unhandled rejection');
  });
  process.on('uncaughtException', (error) => {
    app.logger.error({ id: newId(), error }, 'uncaught exception');
    end('uncaught exception', 1);
  });
}

/** To find a line again that somebody quotes; needs no strength, and loading node:crypto takes 3 ms. */
function newId(): string {
  return Math.random().toString(36).slice(2, 10);
}
