import type { AuthInfo, McpServer } from '@modelcontextprotocol/server';
import type { CallObserver } from '../../calls/call-observer.ts';
import type { Caller } from '../../lib/caller.ts';
import type { Tool } from '../../tools/tool.ts';

type Arguments = Readonly<Record<string, unknown>>;

/** The sender of a request. */
export interface HttpCaller extends Caller {
  /** Set for a JWT, whose client can request missing scopes from the issuer. Does not contain the JWT itself. */
  readonly authInfo?: AuthInfo;
}

/** Identifies the sender of a request. */
export interface Authenticator {
  /**
   * The caller, or the response that refuses the request: 401 or 403 with WWW-Authenticate, 429 after too many wrong tokens,
   * 503 while the token issuer is unavailable. Called before the body is read. Never rejects because of the request.
   * @param peer the address of the other end of the connection, which may be a reverse proxy
   */
  authenticate(request: Request, peer: string): Promise<HttpCaller | Response>;
  /** The response for paths that need no authentication, such as /.well-known/…; undefined for other paths. */
  publicDocument(request: Request): Promise<Response | undefined>;
  /**
   * Makes a server object answer calls with 403 and the missing scope, if a scope is all that is missing.
   * @param refuse executes such a call anyway, so that its refusal is logged, counted and written to the audit log
   */
  challengeMissingScopes(
    server: McpServer,
    caller: HttpCaller,
    refuse: (tool: Tool, args: Arguments) => Promise<unknown>,
  ): void;
  /**
   * The notice that is printed on stderr once the server listens. It may contain a token, so it must not be logged.
   * @param url URL of /mcp for clients on this machine
   */
  welcome(url: string): string | undefined;
}

/** Why a request was refused before it became a call, for metrics and the log. */
export type Refusal =
  | 'unauthenticated'
  | 'forbidden'
  | 'guessing'
  | 'issuer_unavailable'
  | 'host'
  | 'origin'
  | 'too_large'
  | 'rate_limit'
  | 'too_many_calls'
  | 'unknown_session'
  | 'too_many_sessions'
  | 'bad_request';

/** The metrics of the HTTP server. */
export interface Metrics {
  readonly observer: CallObserver;
  onRefusal(refusal: Refusal): void;
  /** Handles GET /metrics of an authenticated caller. */
  respond(): Promise<Response>;
}
