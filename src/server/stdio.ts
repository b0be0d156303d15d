import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { ServerDeps } from '../calls/call-deps.ts';
import { LOCAL_CALLER } from '../lib/caller.ts';
import { messageOf } from '../lib/errors.ts';
import { announceChanges } from './announce.ts';
import { createServer } from './create-server.ts';
import { withArgumentsObject } from './lenient-arguments.ts';

export interface StdioService {
  /** Resolves when the client has gone (stdin ended, stdout broke) or `close` was called; running calls are then aborted. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** Serves one client on stdin and stdout, of whichever protocol era. */
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

/** serveStdio does not tell when the client leaves; its transport closes then, whatever the reason. */
class ObservedTransport extends StdioServerTransport {
  readonly closed: Promise<void>;
  #resolve: () => void = () => {};

  constructor() {
    super();
    this.closed = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** The receiver of messages has been set by now. */
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
