import { networkInterfaces } from 'node:os';
import type { Config } from '../../config/settings-schema.ts';
import { isLoopback, LOOPBACK_NAMES } from '../../lib/loopback.ts';

type Names = Pick<Config, 'serverHost' | 'allowedHosts' | 'allowedOrigins'>;

/**
 * Whether a request calls this server by a name that is its own. A web page whose name was made to lead here (DNS
 * rebinding) is same-origin for its browser; what gives it away is the name in the Host header.
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
 * Whether the web page that a request comes from may call this server. Programs send no Origin. Pages of this
 * machine may call a server that only this machine can reach.
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

/** The addresses of this machine: nobody gets to be called by them through a name server. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((infos) =>
    (infos ?? []).map(({ address }) => bracketed(address)),
  );
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address.toLowerCase();
}

/** The Host header without its port, in the form of `URL.hostname`. */
function hostnameOf(host: string | null): string | undefined {
  if (host === null || !/^[^\s/@?#\\]+$/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname;
}
