import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { getRequestListener, type Http2Bindings, type HttpBindings } from '@hono/node-server';
import type { Config } from '../../config/settings-schema.ts';
import { decodeText } from '../../lib/decode-text.ts';
import { capConnections } from './connections.ts';
import type { HttpApp } from './http-app.ts';

type ListenConfig = Pick<
  Config,
  'serverHost' | 'serverPort' | 'httpTlsCert' | 'httpTlsKey' | 'requestTimeout' | 'maxConnections'
>;

/** Maximum size of all headers together, large enough for a long token. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Longer than reverse proxies keep idle connections (nginx: 60 s), so that the proxy closes them first. */
const KEEP_ALIVE_MS = 75_000;

/**
 * Listens for connections. Resolves when clients can connect.
 * @throws errors of the system: the address is in use, not local, or needs more privileges; an invalid certificate
 */
export async function listen(app: Pick<HttpApp, 'fetch'>, config: ListenConfig): Promise<Server> {
  const { serverHost, serverPort, requestTimeout, maxConnections } = config;
  const timeoutMs = requestTimeout * 1000;
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: Math.min(timeoutMs, 10_000),
    requestTimeout: timeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 1000,
    // TCP keepalive detects clients that have disappeared without closing the connection.
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
  const listener = getRequestListener((request, env) => {
    if (!isHttp1(env)) throw new TypeError('HTTP/2 is not supported');
    return app.fetch(request, env);
  });
  const tls = await readCertificate(config);
  const server =
    tls === undefined
      ? createHttpServer(options, listener)
      : createHttpsServer({ ...options, ...tls, handshakeTimeout: 10_000, minVersion: 'TLSv1.2' }, listener);
  capConnections(server, maxConnections);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(serverPort, serverHost, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server;
}

function isHttp1(env: HttpBindings | Http2Bindings): env is HttpBindings {
  return env.outgoing instanceof ServerResponse;
}

async function readCertificate({ httpTlsCert, httpTlsKey }: ListenConfig) {
  if (httpTlsCert === undefined || httpTlsKey === undefined) return undefined;
  const [cert, key] = await Promise.all([readPem(httpTlsCert), readPem(httpTlsKey)]);
  return { cert, key };
}

/** Converts UTF-16, which Windows PowerShell writes, because OpenSSL cannot read it. */
async function readPem(file: string): Promise<string> {
  return decodeText(await readFile(file));
}
