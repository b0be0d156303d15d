import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { ServerDeps } from '../calls/call-deps.ts';
import { LOCAL_CALLER } from '../lib/caller.ts';
import { messageOf } from '../lib/errors.ts';
import { announceChanges } from './announce.ts';
import { createServer } from './create-server.ts';
import { withArgumentsObject } from './lenient-arguments.ts';

export interface StdioService {
  /** Resolves when the client has disconnected (stdin ended, stdout failed) or `close` was called. Running calls are aborted. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** Serves one client of either protocol era on stdin and stdout. */
export function serveOnStdio(deps: ServerDeps): StdioService {
  const transport = new ObservedTransport();
  const factory = () => {
    const mcp = createServer(deps, LOCAL_CALLER);
    announceChanges(mcp, deps);
    return mcp;
  };
  const handle = serveStdio(factory, {
    transport,
    onerror: (error) => deps.logger.warn({ reason: messageOf(error) }, 'protocol error'),
  });
  return { closed: transport.closed, close: () => handle.close() };
}

/** serveStdio does not report that the client has disconnected, but it closes its transport then. */
class ObservedTransport extends StdioServerTransport {
  readonly closed: Promise<void>;
  #resolve: () => void = () => {};

  constructor() {
    super();
    this.closed = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** The message handler has already been set. */
  override start(): Promise<void> {
    const receive = this.onmessage;
    this.onmessage = (message) => receive?.(withArgumentsObject(message));
    return super.start();
  }

  override async close(): Promise<void> {
    await super.close();
    this.#resolve();
  }
}
