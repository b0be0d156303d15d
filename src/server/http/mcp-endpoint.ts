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
import { inThousands } from '../../lib/in-thousands.ts';
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
  /** Called with each server object before it is used. */
  readonly challengeMissingScopes: Authenticator['challengeMissingScopes'];
  /** The response that refuses the request if the caller has sent too many in a minute. */
  readonly overRate: (caller: HttpCaller, requests: number) => Promise<Response | undefined>;
  readonly onRefusal: (refusal: Refusal) => void;
}

/** Bytes. No tool needs more: a command is an argument of a shell, which Linux limits to 128 KiB. */
export const MAX_BODY = 1024 * 1024;
/** Seconds after which a slot for a call may be free again. */
const RETRY_S = 1;

/** MCP's Streamable HTTP for both protocol eras: independent requests (2026-07-28) and sessions (2025 and older). */
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
    // Calls stream from the start: comments keep the stream alive, because proxies close a stream without data after a minute.
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
    if (body === undefined) return refuse(400, 'The request body is incomplete');
    if (body.tooLarge) {
      this.#options.onRefusal('too_large');
      return refuse(413, `The request body is larger than ${inThousands(MAX_BODY)} bytes`);
    }
    const message = withArgumentsObject(parse(body.text));
    if (message === undefined) {
      this.#options.onRefusal('bad_request');
      return refuse(400, 'Parse error: the request body is not JSON', { code: 'parse' });
    }
    // Clients of 2025-03-26 may send a batch, which counts as the number of its requests.
    const further = Array.isArray(message) ? message.length - 1 : 0;
    const tooMany = further > 0 ? await this.#options.overRate(caller, further) : undefined;
    if (tooMany !== undefined) return tooMany;
    if (!this.slots.take(message, exchange)) {
      this.#options.onRefusal('too_many_calls');
      const message = `${this.#options.maxConcurrent} calls are already running (MAX_CONCURRENT). Try again later`;
      return refuse(503, message, { retryAfterS: RETRY_S });
    }
    return within(exchange, () => this.#dispatch(request, message, caller, exchange));
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Ends sessions and streams, and cancels their calls. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#sessions.close(), this.#modern.close(), this.#streaming.close()]);
  }

  /** Responds in the form that the client accepts. */
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
      return refuse(406, 'The Accept header must allow application/json or text/event-stream');
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
    if (caller === undefined) throw new TypeError('a request without a caller');
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
