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
  /** Makes the server object of one session. */
  readonly createServer: (caller: HttpCaller) => McpServer;
  /** Tells the client what changes, until what is returned is called. */
  readonly announce: (server: McpServer) => () => void;
  readonly onRefusal: (refusal: Refusal) => void;
  readonly onError: (error: Error) => void;
}

interface Session {
  readonly id: string;
  readonly caller: Caller;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  /** Exchanges that are not over: requests, open streams, running calls. */
  busy: number;
  lastUsed: number;
}

/** When all places are taken and none can be freed. */
const RETRY_S = 30;

/**
 * The connections of clients that speak a revision of 2025 or older: for those, what belongs together over HTTP
 * is told by a session id. An id is worth nothing without the caller that it was given to.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  /** In the order of last use. */
  readonly #sessions = new Map<string, Session>();
  readonly #timer: NodeJS.Timeout;
  #opening = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#endIdle(), Math.min(options.idleMs / 2, 30_000)).unref();
  }

  /** @param message the parsed body of a POST, else undefined */
  async answer(
    request: Request,
    message: unknown,
    caller: HttpCaller,
    exchange: Exchange,
  ): Promise<Response> {
    // Whatever id it carries: after a restart of the server, clients begin again with the id that they still have.
    if (request.method === 'POST' && isInitializeRequest(message)) {
      return this.#open(request, message, caller, exchange);
    }
    const id = request.headers.get('mcp-session-id');
    if (id === null) {
      return refuse(400, 'Mcp-Session-Id is missing: begin with initialize, or speak revision 2026-07-28');
    }
    const session = this.#sessions.get(id);
    // Whose it is stays untold: an id that somebody else holds looks like one that never was.
    if (session === undefined || !isSame(session.caller, caller)) {
      this.#options.onRefusal('unknown_session');
      return refuse(404, 'Session not found: it has ended, or is not yours. Begin again with initialize', {
        code: 'unknownSession',
      });
    }
    this.#use(session, exchange);
    return session.transport.handleRequest(request, requestOptions(message, caller));
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Ends all sessions; what they run is cancelled. */
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
    // It keeps its streams alive by comments, each 15 s unless told otherwise.
    const transport = new WebStandardStreamableHTTPServerTransport({
      // 122 bits from the system's generator.
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
      // Refused by the transport: nobody will ever come back for it.
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

  /** Ends the unused session that has been so for longest, of the caller that has most of all: nobody crowds out others. */
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

/** A caller whose rights have changed is another one: the session's server goes by those that it was made with. */
function isSame(one: Caller, other: Caller): boolean {
  const { rights } = other;
  return (
    one.name === other.name &&
    one.rights.size === rights.size &&
    [...one.rights].every((right) => rights.has(right))
  );
}

/** What goes with a request into the SDK. */
export function requestOptions(message: unknown, { authInfo }: HttpCaller) {
  return { parsedBody: message, ...(authInfo === undefined ? {} : { authInfo }) };
}
