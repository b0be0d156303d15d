import {
  isInitializeRequest,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { Caller } from '../../lib/caller.ts';
import { refuse } from './answers.ts';
import type { Exchange } from './exchange.ts';
import type { HttpCaller, Refusal } from './http-types.ts';

export interface SessionsOptions {
  readonly max: number;
  readonly idleMs: number;
  /** Creates the server object of one session. */
  readonly createServer: (caller: HttpCaller) => McpServer;
  /** Notifies the client of changes until the returned function is called. */
  readonly announce: (server: McpServer) => () => void;
  readonly onRefusal: (refusal: Refusal) => void;
  readonly onError: (error: Error) => void;
}

interface Session {
  readonly id: string;
  readonly caller: Caller;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  /** Number of open exchanges: requests, open streams, running calls. */
  busy: number;
  lastUsed: number;
}

/** Retry-After if all sessions are in use. */
const RETRY_S = 30;

/**
 * The sessions of clients with MCP 2025 or older, whose requests carry a session id. A session id is accepted only from the
 * caller that created the session.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  /** Sorted by last use. */
  readonly #sessions = new Map<string, Session>();
  readonly #timer: NodeJS.Timeout;
  #opening = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#endIdle(), Math.min(options.idleMs / 2, 30_000)).unref();
  }

  /** @param message the parsed body of a POST; undefined for other methods */
  async answer(
    request: Request,
    message: unknown,
    caller: HttpCaller,
    exchange: Exchange,
  ): Promise<Response> {
    // Regardless of its session id: after a restart of the server, clients send initialize with their old id.
    if (request.method === 'POST' && isInitializeRequest(message)) {
      return this.#open(request, message, caller, exchange);
    }
    const id = request.headers.get('mcp-session-id');
    if (id === null) {
      return refuse(
        400,
        'The Mcp-Session-Id header is missing. Send initialize first, or use MCP revision 2026-07-28',
      );
    }
    const session = this.#sessions.get(id);
    // The same response for a session of another caller and for an unknown id, so that ids cannot be probed.
    if (session === undefined || !isSame(session.caller, caller)) {
      this.#options.onRefusal('unknown_session');
      return refuse(
        404,
        'Session not found: it has ended or belongs to another caller. Send initialize to begin a new one',
        {
          code: 'unknownSession',
        },
      );
    }
    this.#use(session, exchange);
    return session.transport.handleRequest(request, requestOptions(message, caller));
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Ends all sessions and cancels their calls. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled([...this.#sessions.values()].map(({ transport }) => transport.close()));
  }

  async #open(request: Request, message: unknown, caller: HttpCaller, exchange: Exchange): Promise<Response> {
    if (this.#sessions.size + this.#opening >= this.#options.max && !this.#makeRoom()) {
      this.#options.onRefusal('too_many_sessions');
      return refuse(503, 'All sessions are in use (MAX_SESSIONS). Try again later', { retryAfterS: RETRY_S });
    }
    this.#opening += 1;
    const server = this.#options.createServer(caller);
    // The transport keeps its streams alive with comments, by default every 15 s.
    const transport = new WebStandardStreamableHTTPServerTransport({
      // 122 random bits.
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => {
        this.#use({ id, caller, transport, busy: 0, lastUsed: 0 }, exchange);
      },
    });
    try {
      await server.connect(transport);
      const silence = this.#options.announce(server);
      server.server.onclose = () => {
        silence();
        this.#sessions.delete(transport.sessionId ?? '');
      };
      server.server.onerror = this.#options.onError;
      const response = await transport.handleRequest(request, requestOptions(message, caller));
      // The transport refused the request, so no client knows this session.
      if (transport.sessionId === undefined) await server.close();
      return response;
    } finally {
      this.#opening -= 1;
    }
  }

  #use(session: Session, exchange: Exchange): void {
    session.busy += 1;
    exchange.whenOver(() => {
      session.busy -= 1;
      session.lastUsed = performance.now();
    });
    session.lastUsed = performance.now();
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
  }

  /** Ends the longest idle session of the caller with the most sessions, so that no caller can displace the others. */
  #makeRoom(): boolean {
    const unused = [...this.#sessions.values()].filter(({ busy }) => busy === 0);
    const counts = new Map<string, number>();
    for (const { caller } of this.#sessions.values()) {
      counts.set(caller.name, (counts.get(caller.name) ?? 0) + 1);
    }
    const most = Math.max(0, ...unused.map(({ caller }) => counts.get(caller.name) ?? 0));
    const victim = unused.find(({ caller }) => counts.get(caller.name) === most);
    if (victim !== undefined) this.#end(victim);
    return victim !== undefined;
  }

  #endIdle(): void {
    const before = performance.now() - this.#options.idleMs;
    for (const session of this.#sessions.values()) {
      if (session.busy === 0 && session.lastUsed <= before) this.#end(session);
    }
  }

  #end(session: Session): void {
    this.#sessions.delete(session.id);
    void session.transport.close();
  }
}

/** Includes the permissions: if they change, the caller needs a new session, because the session's server keeps the old ones. */
function isSame(one: Caller, other: Caller): boolean {
  const { permissions } = other;
  return (
    one.name === other.name &&
    one.permissions.size === permissions.size &&
    [...one.permissions].every((permission) => permissions.has(permission))
  );
}

/** The data of a request that is passed to the SDK. */
export function requestOptions(message: unknown, { authInfo }: HttpCaller) {
  return { parsedBody: message, ...(authInfo === undefined ? {} : { authInfo }) };
}
