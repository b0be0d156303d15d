import type { Caller } from '../../lib/caller.ts';
import type { CallObserver } from '../observer.ts';

/** Decides who a request comes from. */
export interface Authenticator {
  /**
   * The caller, or the answer that refuses: 401 or 403 with WWW-Authenticate. Called before the body is read.
   * Never rejects for what a client sends.
   */
  authenticate(request: Request): Promise<Caller | Response>;
  /** What is to be had without authentication, such as /.well-known/…; undefined where it is none of that. */
  publicDocument(request: Request): Promise<Response | undefined>;
}

/** Why a request was refused before it became a call; for metrics and the log. */
export type Refusal =
  | 'unauthenticated'
  | 'forbidden'
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
