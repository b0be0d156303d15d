import type { App } from '../app.ts';
import type { Logger } from '../lib/log.ts';

/** Clients and init systems kill a server that still runs after 5 s. Every command on the node must be killed before that. */
export const SHUTDOWN_MS = 4500;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGBREAK'] as const;

/**
 * Shuts the process down on a signal, after an uncaught exception, or when `end` is called. The exit code is 0, or 1 after an
 * uncaught exception.
 * @param close ends running calls and connections; abandoned after SHUTDOWN_MS
 */
export function gracefulShutdown(app: App, close: () => Promise<unknown>): { end(reason: string): void } {
  let ending = false;
  const end = (reason: string, exitCode = 0): void => {
    if (ending) return;
    ending = true;
    app.logger.debug({ reason }, 'ending');
    setTimeout(() => process.exit(exitCode), SHUTDOWN_MS).unref();
    void close().finally(() => process.exit(exitCode));
  };
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // A second signal exits at once.
      if (ending) process.exit(130);
      end(signal);
    });
  }
  onHangUp(app, () => end('SIGHUP'));
  watchForExceptions(app.logger, () => {
    if (ending) process.exit(1);
    end('uncaught exception', 1);
  });
  return { end };
}

/**
 * SIGHUP makes a server with a policy file read it again, as usual for daemons, and ends a server without one. When it was sent
 * because the terminal was closed, it ends both.
 */
function onHangUp(app: App, end: () => void): void {
  const startedOnTerminal = process.stdin.isTTY === true;
  process.on('SIGHUP', async () => {
    if (!app.listMayChange) return end();
    // `process.stdin.isTTY` keeps its value from the start, so `isatty` is called again. `node:tty` is loaded only here, because
    // that takes time.
    if (startedOnTerminal && !(await import('node:tty')).isatty(0)) return end();
    await app.policy().then((policy) => policy.reload());
  });
}

/**
 * An unhandled rejection affects one call at most: it is logged and the server continues. After an uncaught exception the state
 * of the process is unknown: the server shuts down, and the client starts it again.
 */
function watchForExceptions(logger: Logger, end: () => void): void {
  process.on('unhandledRejection', (error) => {
    logger.error({ id: newId(), error }, 'unhandled rejection');
  });
  process.on('uncaughtException', (error) => {
    logger.error({ id: newId(), error }, 'uncaught exception');
    end();
  });
}

/** An ID to find a log line by. It needs no cryptographic strength, and loading node:crypto takes 3 ms. */
function newId(): string {
  return Math.random().toString(36).slice(2, 10);
}
