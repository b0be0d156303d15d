import type { App } from '../app.ts';
import type { Logger } from '../lib/log.ts';

/** Clients and init systems kill what has not ended after 5 s; by then everything that we started on the node must be gone. */
export const SHUTDOWN_MS = 4500;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGBREAK'] as const;

/**
 * Sees to it that this process ends in order: on a signal, after an accident, or when `end` is called. The exit code
 * is 0 unless there was an accident.
 * @param close clears away what runs; is given up after SHUTDOWN_MS
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
      // Whoever signals twice does not want to wait.
      if (ending) process.exit(130);
      end(signal);
    });
  }
  onHangUp(app, () => end('SIGHUP'));
  watchForAccidents(app.logger, () => {
    if (ending) process.exit(1);
    end('uncaught exception', 1);
  });
  return { end };
}

/**
 * SIGHUP tells a server with a policy file to read it again, as it tells daemons; others it ends. But from a terminal that was
 * closed it means that nobody is there any more, whatever else is set.
 */
function onHangUp(app: App, end: () => void): void {
  const startedOnTerminal = process.stdin.isTTY === true;
  process.on('SIGHUP', async () => {
    if (!app.listMayChange) return end();
    // Asked anew, as isTTY is what was found at the start; and only now, because loading it takes its time.
    if (startedOnTerminal && !(await import('node:tty')).isatty(0)) return end();
    await app.policy().then((policy) => policy.reload());
  });
}

/**
 * A promise that nobody waited for spoils one call at most: it is recorded, and the server goes on. After an
 * exception that nobody caught nothing can be relied on: what runs is cleared away, and the client starts us anew.
 */
function watchForAccidents(logger: Logger, end: () => void): void {
  process.on('unhandledRejection', (error) => {
    logger.error({ id: newId(), error }, 'unhandled rejection');
  });
  process.on('uncaughtException', (error) => {
    logger.error({ id: newId(), error }, 'uncaught exception');
    end();
  });
}

/** To find a line again that somebody quotes; needs no strength, and loading node:crypto takes 3 ms. */
function newId(): string {
  return Math.random().toString(36).slice(2, 10);
}
