import {
  createMcpHandler,
  isJsonContentType,
  isLegacyRequest,
  type McpHttpHandler,
  readRequestBody,
} from '@modelcontextprotocol/server';
import type { ServerDeps } from '../../calls/call-deps.ts';
import { callTool } from '../../calls/pipeline.ts';
import { messageOf } from '../../lib/errors.ts';
import { announceChanges } from '../announce.ts';
import { createServer } from '../create-server.ts';
import { withArgumentsObject } from '../lenient-arguments.ts';
import { acceptingEither, answerForm, inForm } from './accept.ts';
import { refuse } from './answers.ts';
import { CallSlots } from './call-slots.ts';
import { type Exchange, trackCall, within } from './exchange.ts';
import type { Authenticator, HttpCaller, Refusal } from './http-types.ts';
import { requestOptions, Sessions } from './sessions.ts';

export interface McpEndpointOptions {
  readonly maxConcurrent: number;
  readonly maxSessions: number;
  readonly sessionIdleMs: number;
  /** Sees each server object before it is used. */
  readonly challengeMissingScopes: Authenticator['challengeMissingScopes'];
  /** The refusal of further requests, if they are too many for a minute. */
  readonly overRate: (caller: HttpCaller, requests: number) => Promise<Response | undefined>;
  readonly onRefusal: (refusal: Refusal) => void;
}

/** Bytes. No tool takes more: a command is an argument of a shell, which Linux limits to 128 KiB. */
export const MAX_BODY = 1024 * 1024;
/** When a slot for a call may be free again. */
const RETRY_S = 1;

/** MCP's Streamable HTTP for both eras: requests that stand alone (2026-07-28), and sessions (2025 and before). */
export class McpEndpoint {
  readonly #deps: ServerDeps;
  readonly #options: McpEndpointOptions;
  readonly #sessions: Sessions;
  readonly #modern: McpHttpHandler;
  readonly #streaming: McpHttpHandler;
  readonly #callers = new WeakMap<Request, HttpCaller>();
  readonly slots: CallSlots;

  constructor(deps: ServerDeps, options: McpEndpointOptions) {
    this.#deps = { ...deps, trackCall };
    this.#options = options;
    this.slots = new CallSlots(options.maxConcurrent);
    const onerror = (error: Error) => deps.logger.debug({ reason: messageOf(error) }, 'protocol error');
    const { maxSessions: max, sessionIdleMs: idleMs, challengeMissingScopes, onRefusal } = options;
    const create = (caller: HttpCaller) => {
      const server = createServer(this.#deps, caller);
      const signal = new AbortController().signal;
      challengeMissingScopes(server, caller, (tool, args) =>
        callTool({ tool, caller, args, signal }, this.#deps),
      );
      return server;
    };
    this.#sessions = new Sessions({
      max,
      idleMs,
      onRefusal,
      onError: onerror,
      createServer: create,
      announce: (server) => announceChanges(server, deps),
    });
    const handler = (responseMode: 'auto' | 'sse') =>
      createMcpHandler(({ requestInfo }) => create(this.#callerOf(requestInfo)), {
        legacy: 'reject',
        maxRequestBodySize: MAX_BODY,
        responseMode,
        onerror,
      });
    this.#modern = handler('auto');
    // Calls stream from the start: comments keep the stream alive, where proxies cut what is silent for a minute.
    this.#streaming = handler('sse');
    if (deps.listMayChange === true) {
      void deps.policy().then((policy) => policy.onChange(() => this.#modern.notify.toolsChanged()));
    }
  }

  async answer(request: Request, caller: HttpCaller, exchange: Exchange): Promise<Response> {
    if (request.method !== 'POST') return this.#dispatch(request, undefined, caller, exchange);
    if (!isJsonContentType(request.headers.get('content-type'))) {
      return refuse(415, 'Content-Type must be application/json');
    }
    const body = await readRequestBody(request, MAX_BODY).catch(() => undefined);
    if (body === undefined) return refuse(400, 'The request came to an end before its body did');
    if (body.tooLarge) {
      this.#options.onRefusal('too_large');
      return refuse(413, `The request is larger than ${MAX_BODY} bytes`);
    }
    const message = withArgumentsObject(parse(body.text));
    if (message === undefined) {
      this.#options.onRefusal('bad_request');
      return refuse(400, 'Parse error: the body is not JSON', { code: 'parse' });
    }
    // Clients of 2025-03-26 may send many requests as one: a batch is as many as it holds.
    const further = Array.isArray(message) ? message.length - 1 : 0;
    const tooMany = further > 0 ? await this.#options.overRate(caller, further) : undefined;
    if (tooMany !== undefined) return tooMany;
    if (!this.slots.take(message, exchange)) {
      this.#options.onRefusal('too_many_calls');
      const told = `${this.#options.maxConcurrent} calls run already (MAX_CONCURRENT). Try again in a moment`;
      return refuse(503, told, { retryAfterS: RETRY_S });
    }
    return within(exchange, () => this.#dispatch(request, message, caller, exchange));
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Ends sessions and streams; what they run is cancelled. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#sessions.close(), this.#modern.close(), this.#streaming.close()]);
  }

  /** Answers in the form that the client takes. */
  async #dispatch(
    original: Request,
    message: unknown,
    caller: HttpCaller,
    exchange: Exchange,
  ): Promise<Response> {
    const accept = original.headers.get('accept');
    const onlyStreams = original.headers.get('mcp-method') === 'subscriptions/listen';
    const form = answerForm(accept, { method: original.method, onlyStreams });
    if (form === undefined) {
      this.#options.onRefusal('bad_request');
      return refuse(406, 'Accept must allow application/json or text/event-stream');
    }
    const response = await this.#serve(acceptingEither(original), message, caller, exchange);
    return inForm(form, response, Array.isArray(message));
  }

  async #serve(
    request: Request,
    message: unknown,
    caller: HttpCaller,
    exchange: Exchange,
  ): Promise<Response> {
    if (await isLegacyRequest(request, message)) {
      return this.#sessions.answer(request, message, caller, exchange);
    }
    this.#callers.set(request, caller);
    const handler = request.headers.get('mcp-method') === 'tools/call' ? this.#streaming : this.#modern;
    return handler.fetch(request, requestOptions(message, caller));
  }

  #callerOf(request: Request | undefined): HttpCaller {
    const caller = request === undefined ? undefined : this.#callers.get(request);
    if (caller === undefined) throw new TypeError('a request without its caller');
    return caller;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
