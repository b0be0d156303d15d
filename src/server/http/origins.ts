import { networkInterfaces } from 'node:os';
import type { Config } from '../../config/settings-schema.ts';
import { isLoopback, LOOPBACK_NAMES } from '../../lib/loopback.ts';

type Names = Pick<Config, 'serverHost' | 'allowedHosts' | 'allowedOrigins'>;

/**
 * Whether the Host header of a request is a name of this server. With DNS rebinding, a web page resolves its own name to this
 * server, so the browser treats the request as same-origin. Only the name in the Host header reveals it.
 */
export function createHostCheck({ serverHost, allowedHosts = [] }: Names): (host: string | null) => boolean {
  const own = isLoopback(serverHost) ? [] : [bracketed(serverHost), ...ownAddresses()];
  const names = new Set<string>([...LOOPBACK_NAMES, ...own, ...allowedHosts]);
  return (host) => {
    const name = hostnameOf(host);
    return name !== undefined && names.has(name);
  };
}

/**
 * Whether a web page with this Origin may call this server. Programs send no Origin. Pages from this machine may call a server
 * that listens on loopback only.
 */
export function createOriginCheck({
  serverHost,
  allowedOrigins = [],
}: Names): (origin: string | null) => boolean {
  const local = isLoopback(serverHost);
  return (origin) => {
    if (origin === null || origin === '') return true;
    if (allowedOrigins.includes(origin.toLowerCase())) return true;
    if (!local || !/^https?:\/\//i.test(origin) || !URL.canParse(origin)) return false;
    return isLoopbackName(new URL(origin).hostname);
  };
}

function isLoopbackName(name: string): boolean {
  return LOOPBACK_NAMES.some((each) => each === name);
}

/** The addresses of this machine, which DNS rebinding cannot use as names. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((infos) =>
    (infos ?? []).map(({ address }) => bracketed(address)),
  );
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address.toLowerCase();
}

/** The Host header without the port, in the form of `URL.hostname`. */
function hostnameOf(host: string | null): string | undefined {
  if (host === null || !/^[^\s/@?#\\]+$/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname;
}
