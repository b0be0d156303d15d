import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIPv6 } from 'node:net';
import type { Config } from '../../../config/settings-schema.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { Request } from '../../commands.ts';
import { print, printError } from '../../output/output.ts';
import { settingsFor } from '../../settings.ts';

/** Less than a server takes that asks the node; more than one takes that is busy. */
const PATIENCE_MS = 7000;
/** The answer is a line. */
const MAX_ANSWER = 10_000;

/** `proxmox-mcp health`: asks the server that is served by these settings, on this machine. Exit code 0 or 1. */
export async function health({ input, options }: Request): Promise<void> {
  // What serving needs beyond the address does not matter to whoever asks.
  const config = settingsFor({ ...input, fallbacks: { acceptRisks: 'true', host: 'localhost' } });
  if (config === undefined) {
    process.exitCode = 1;
    return;
  }
  const url = healthUrl(config, options.ready === 'true');
  try {
    const { status, text } = await get(url);
    if (isHealthy(status, text)) return await print(`healthy: ${url}\n`);
    await printError(`unhealthy: ${url} answered ${status}: ${printable(text)}\n`);
  } catch (error) {
    await printError(`unhealthy: ${url} does not answer: ${messageOf(error)}\n`);
  }
  process.exitCode = 1;
}

/** Where the server is found by this machine itself. */
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
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answered = (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_ANSWER) response.destroy(new Error('its answer is too long for one'));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    };
    // Its certificate is for the name that clients use, not for this address; and nothing secret is sent.
    const sent = url.startsWith('https:')
      ? requestHttps(url, { signal, agent: false, rejectUnauthorized: false }, answered)
      : requestHttp(url, { signal, agent: false }, answered);
    sent.on('error', (error) =>
      reject(signal.aborted ? new Error(`not within ${PATIENCE_MS / 1000} s`) : error),
    );
    sent.end();
  });
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
