import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import type { ServerDeps } from '../../calls/call-deps.ts';
import type { Config } from '../../config/settings-schema.ts';
import type { Caller } from '../../lib/caller.ts';
import { refuse } from './answers.ts';
import { Exchange } from './exchange.ts';
import { createHealth, type Node } from './health-endpoint.ts';
import type { Authenticator, Metrics, Refusal } from './http-types.ts';
import { McpEndpoint } from './mcp-endpoint.ts';
import { createHostCheck, createOriginCheck } from './origins.ts';
import { RateLimit } from './rate-limit.ts';

export interface HttpAppOptions {
  readonly deps: ServerDeps;
  readonly config: Config;
  readonly node: Node;
  readonly authenticator: Authenticator;
  /** @param sessions the number of open sessions */
  readonly createMetrics: (sessions: () => number) => Metrics;
}

export interface HttpApp {
  readonly fetch: (request: Request, env: HttpBindings) => Response | Promise<Response>;
  /** Refuses new requests with 503 from now on. */
  drain(): void;
  /** Resolves when no call is running. */
  idle(): Promise<void>;
  /** Ends sessions and streams. */
  close(): Promise<void>;
}

/** The metrics label for each status of the authenticator. */
const REFUSALS: Readonly<Record<number, Refusal>> = {
  403: 'forbidden',
  429: 'guessing',
  503: 'issuer_unavailable',
};

/** The HTTP routes, and the order of the checks for each request: cheap checks come first. */
export function createHttpApp({ deps, config, node, authenticator, createMetrics }: HttpAppOptions): HttpApp {
  const metrics = createMetrics(() => mcp.sessions);
  const onRefusal = (refusal: Refusal) => {
    metrics.onRefusal(refusal);
    deps.logger.debug({ refusal }, 'request refused');
  };
  const rateLimit = new RateLimit(config.rateLimit);
  const overRate = async (caller: Caller, requests: number): Promise<Response | undefined> => {
    const waitS = await rateLimit.exceeded(caller.name, requests);
    if (waitS === undefined) return undefined;
    onRefusal('rate_limit');
    const message = `More than ${config.rateLimit} requests in a minute (RATE_LIMIT). Try again in ${waitS} s`;
    return refuse(429, message, { retryAfterS: waitS });
  };
  const mcp: McpEndpoint = new McpEndpoint(
    { ...deps, observer: metrics.observer },
    {
      maxConcurrent: config.maxConcurrent,
      maxSessions: config.maxSessions,
      sessionIdleMs: config.sessionIdle * 1000,
      challengeMissingScopes: (...args) => authenticator.challengeMissingScopes(...args),
      overRate,
      onRefusal,
    },
  );
  const isOwnName = createHostCheck(config);
  const mayCall = createOriginCheck(config);
  const health = createHealth(node);
  let draining = false;

  const app = new Hono<{ Bindings: HttpBindings }>({ getPath: (request) => plainPath(request.url) });
  app.use(async (c, next) => {
    if (!isOwnName(c.req.header('host') ?? null)) {
      onRefusal('host');
      return refuse(421, 'Unknown Host header. The operator can add the host name to ALLOWED_HOSTS');
    }
    if (!mayCall(c.req.header('origin') ?? null)) {
      onRefusal('origin');
      return refuse(
        403,
        'Web pages of this Origin are not allowed. The operator can add it to ALLOWED_ORIGINS',
      );
    }
    return next();
  });
  const forPages = cors({
    // The Origin has passed the check above.
    origin: (origin) => origin,
    allowMethods: ['GET', 'POST', 'DELETE'],
    exposeHeaders: ['Mcp-Session-Id', 'WWW-Authenticate', 'Retry-After'],
    maxAge: 600,
  });
  app.use((c, next) => (c.req.header('origin') === undefined ? next() : forPages(c, next)));
  app.get('/health', (c) => health(c.req.query('ready') !== undefined));
  app.use(async (c, next) => {
    const document = await authenticator.publicDocument(c.req.raw);
    return document ?? next();
  });

  /** The caller, or the response that refuses the request. */
  const admit = async (request: Request, { incoming }: HttpBindings) => {
    if (draining) return refuse(503, 'The server is shutting down. Try again later', { retryAfterS: 5 });
    const caller = await authenticator.authenticate(request, incoming.socket.remoteAddress ?? '');
    if (caller instanceof Response) {
      onRefusal(REFUSALS[caller.status] ?? 'unauthenticated');
      return caller;
    }
    return (await overRate(caller, 1)) ?? caller;
  };
  app.all('/mcp', async (c) => {
    const caller = await admit(c.req.raw, c.env);
    if (caller instanceof Response) return caller;
    const exchange = new Exchange();
    c.env.outgoing.once('close', exchange.hold());
    return mcp.answer(c.req.raw, caller, exchange);
  });
  app.get('/metrics', async (c) => {
    const caller = await admit(c.req.raw, c.env);
    return caller instanceof Response ? caller : metrics.respond();
  });
  app.notFound(() => refuse(404, 'Not found. The MCP endpoint is /mcp'));
  app.onError((error) => {
    const id = crypto.randomUUID().slice(0, 8);
    deps.logger.error({ error, id }, 'internal error');
    return refuse(500, `Internal error ${id}. The log of the server has the details`);
  });
  return {
    fetch: (request, env) => app.fetch(request, env),
    drain: () => {
      draining = true;
    },
    idle: () => mcp.slots.idle(),
    close: () => mcp.close(),
  };
}

/** The path without empty segments, because some clients request `/mcp/` or `//mcp`. */
function plainPath(url: string): string {
  const segments = new URL(url).pathname.split('/').filter((segment) => segment !== '');
  return `/${segments.join('/')}`;
}
