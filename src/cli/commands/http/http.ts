import '../../../lib/zod-without-jit.ts';
import type { Server } from 'node:http';
import { isIPv6 } from 'node:net';
import type { App } from '../../../app.ts';
import { type LoadInput, loadConfig } from '../../../config/load.ts';
import type { Config } from '../../../config/settings-schema.ts';
import { errnoOf } from '../../../lib/errno.ts';
import { AppError, messageOf, nextStep } from '../../../lib/errors.ts';
import { createAuthenticator } from '../../../server/http/auth/create-authenticator.ts';
import { judgeExposure } from '../../../server/http/exposure.ts';
import { createHttpApp, type HttpApp } from '../../../server/http/http-app.ts';
import { listen } from '../../../server/http/listen.ts';
import { createMetrics } from '../../../server/http/metrics.ts';
import { gracefulShutdown, SHUTDOWN_MS } from '../../graceful-shutdown.ts';
import { openApp } from '../../open-app.ts';
import { configErrorsText, wantsColor } from '../../output/config-errors.ts';
import { proseWidth, wrapLines } from '../../output/output.ts';

/** Time to send the results of ended calls and exit, within SHUTDOWN_MS. */
const RESERVE_MS = 400;
/** Time for running calls to finish before they are cancelled. */
const GRACE_MS = 2000;

/**
 * Serves MCP over HTTP until a signal. It is bundled separately, with its own copy of the server, so that starts without HTTP do
 * not load it. The settings are loaded again, because the two bundles share no objects.
 */
export async function serveOnHttp(input: LoadInput): Promise<void> {
  const loaded = loadConfig(input);
  if (!loaded.ok) return refuse(configErrorsText(loaded.errors, wantsColor(process.stderr)), 2);
  const { config } = loaded;
  const { errors, warnings } = judgeExposure(config);
  if (errors.length > 0) return refuse(configErrorsText(errors, wantsColor(process.stderr)), 2);
  for (const warning of warnings) say(warning);

  const app = await openApp(config);
  if (app === undefined) return;
  try {
    const authenticator = await createAuthenticator(config, app);
    const node = {
      sshConnections: () => app.sshConnections(),
      reach: async (signal: AbortSignal) => (await app.cluster()).reach(signal),
    };
    const http = createHttpApp({
      deps: app,
      config,
      node,
      authenticator,
      createMetrics: (sessions) =>
        createMetrics({ version: app.version, sessions, sshConnections: () => app.sshConnections() }),
    });
    const server = await listen(http, config);
    gracefulShutdown(app, () => close(server, http, app));
    const welcome = authenticator.welcome(urlOf(server, config, '127.0.0.1'));
    if (welcome !== undefined) process.stderr.write(`\n${welcome}`);
    say(`MCP is at ${urlOf(server, config, config.serverHost)}`);
  } catch (error) {
    await app.close(0);
    if (isAboutTls(error)) return refuse(`proxmox-mcp cannot start: ${tlsText(error)}\n`, 2);
    return refuse(
      `${wrapLines(`proxmox-mcp cannot serve over HTTP: ${explain(error, config)}`, proseWidth(process.stderr))}\n`,
      1,
    );
  }
}

/** Stops accepting connections, waits for running calls, cancels the rest, sends their results and closes the connections. */
async function close(server: Server, http: HttpApp, app: App): Promise<void> {
  const deadline = performance.now() + SHUTDOWN_MS - RESERVE_MS;
  server.close();
  server.closeIdleConnections();
  http.drain();
  await Promise.race([http.idle(), later(GRACE_MS)]);
  await app.close(Math.max(0, deadline - performance.now()));
  await Promise.race([http.idle(), later(RESERVE_MS / 2)]);
  await Promise.race([http.close(), later(RESERVE_MS / 4)]);
  server.closeAllConnections();
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

/** The URL of /mcp with the actual port. `host` is the host name or address in the URL. */
function urlOf(server: Server, config: Config, host: string): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.serverPort;
  const scheme = config.httpTlsCert === undefined ? 'http' : 'https';
  return `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}/mcp`;
}

const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is already in use; choose another --port',
  EACCES: 'permission denied; ports below 1024 need root or CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'the host name does not exist',
};

function explain(error: unknown, { serverHost, serverPort }: Config): string {
  if (error instanceof AppError) return `${error.message} ${nextStep(error, 'person')}`;
  const known = LISTEN_ERRORS[errnoOf(error) ?? ''];
  return known === undefined
    ? messageOf(error)
    : `cannot listen on ${serverHost} port ${serverPort}: ${known}.`;
}

/** Whether OpenSSL rejected the certificate or the key. */
function isAboutTls(error: unknown): boolean {
  return /^ERR_(OSSL_|MISSING_PASSPHRASE)/.test(errnoOf(error) ?? '');
}

function tlsText(error: unknown): string {
  return `HTTP_TLS_CERT and HTTP_TLS_KEY cannot be used (${messageOf(error)}).
  Both must be PEM files. The key must match the certificate and have no passphrase.`;
}

function say(text: string): void {
  process.stderr.write(`${wrapLines(`proxmox-mcp: ${text}`, proseWidth(process.stderr))}\n`);
}

function refuse(text: string, exitCode: number): void {
  process.stderr.write(text);
  process.exitCode = exitCode;
}
