import type { AuthInfo, McpServer } from '@modelcontextprotocol/server';
import type { CallObserver } from '../../calls/call-observer.ts';
import type { Caller } from '../../lib/caller.ts';
import type { Tool } from '../../tools/tool.ts';

type Arguments = Readonly<Record<string, unknown>>;

/** Who sent a request. */
export interface HttpCaller extends Caller {
  /** Of a caller who came with a JWT: what is missing can be asked for at the issuer. Without the JWT itself. */
  readonly authInfo?: AuthInfo;
}

/** Decides who a request comes from. */
export interface Authenticator {
  /**
   * The caller, or the answer that refuses: 401 or 403 with WWW-Authenticate; 429 to those who guess, 503 while the issuer
   * of tokens does not answer. Called before the body is read. Never rejects for what a client sends.
   * @param peer the address at the other end of the connection; behind a proxy the proxy's
   */
  authenticate(request: Request, peer: string): Promise<HttpCaller | Response>;
  /** What is to be had without authentication, such as /.well-known/…; undefined where it is none of that. */
  publicDocument(request: Request): Promise<Response | undefined>;
  /**
   * Lets calls that a scope would allow be answered with 403 and that scope. For each server object that is made for the caller.
   * @param refuse makes such a call all the same: it is refused as any other is, and so is logged, counted and on record
   */
  challengeMissingScopes(
    server: McpServer,
    caller: HttpCaller,
    refuse: (tool: Tool, args: Arguments) => Promise<unknown>,
  ): void;
  /**
   * What the operator is to be told on stderr, once the server listens; may hold a token, so it is for no log.
   * @param url of /mcp, as clients on this machine reach it
   */
  welcome(url: string): string | undefined;
}

/** Why a request was refused before it became a call; for metrics and the log. */
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

/** What is counted. */
export interface Metrics {
  readonly observer: CallObserver;
  onRefusal(refusal: Refusal): void;
  /** Answers GET /metrics of an authenticated caller. */
  respond(): Promise<Response>;
}
