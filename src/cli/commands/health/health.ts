import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIPv6 } from 'node:net';
import type { Config } from '../../../config/settings-schema.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { Request } from '../../command.ts';
import { print, printError, proseWidth, wrapLines } from '../../output/output.ts';
import { settingsFor } from '../../settings.ts';

/** Long enough for a busy server, and shorter than the server's own check of the node. */
const TIMEOUT_MS = 7000;
/** A health response is one line. */
const MAX_RESPONSE = 10_000;

/** `proxmox-mcp health`: requests /health from the server on this machine with these settings. Exit code 0 or 1. */
export async function health({ input, options }: Request): Promise<void> {
  // Only the address matters here, so the settings that serving requires have defaults.
  const config = settingsFor({ ...input, fallbacks: { acceptRisks: 'true', host: 'localhost' } });
  if (config === undefined) {
    process.exitCode = 1;
    return;
  }
  const url = healthUrl(config, options.ready === 'true');
  try {
    const { status, text } = await get(url);
    if (isHealthy(status, text)) return await print(`healthy: ${url}\n`);
    await unhealthy(`${url} returned ${status}: ${printable(text)}`);
  } catch (error) {
    await unhealthy(
      `${url} does not respond: ${messageOf(error)}. Check that the server runs (\`proxmox-mcp --http\`), and SERVER_HOST and SERVER_PORT.`,
    );
  }
  process.exitCode = 1;
}

function unhealthy(why: string): Promise<void> {
  return printError(`${wrapLines(`unhealthy: ${why}`, proseWidth(process.stderr))}\n`);
}

/** The health URL of the server on this machine. */
export function healthUrl(
  { serverHost, serverPort, httpTlsCert }: Pick<Config, 'serverHost' | 'serverPort' | 'httpTlsCert'>,
  ready = false,
): string {
  const scheme = httpTlsCert === undefined ? 'http' : 'https';
  const address = serverHost === '0.0.0.0' ? '127.0.0.1' : serverHost === '::' ? '::1' : serverHost;
  const host = isIPv6(address) ? `[${address}]` : address;
  return `${scheme}://${host}:${serverPort}/health${ready ? '?ready' : ''}`;
}

function isHealthy(status: number, text: string): boolean {
  return status === 200 && /"status"\s*:\s*"healthy"/.test(text);
}

function get(url: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answered = (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_RESPONSE)
          response.destroy(new Error('the response is too long for a health response'));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    };
    // The certificate is valid for the name that clients use, not for this address, and no secret is sent.
    const sent = url.startsWith('https:')
      ? requestHttps(url, { signal, agent: false, rejectUnauthorized: false }, answered)
      : requestHttp(url, { signal, agent: false }, answered);
    sent.on('error', (error) =>
      reject(signal.aborted ? new Error(`no response within ${TIMEOUT_MS / 1000} s`) : error),
    );
    sent.end();
  });
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
