import { BlockList, isIP, isIPv6 } from 'node:net';

/** The loopback names in a Host header. */
export const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'] as const;

/**
 * Whether a server that listens on this address accepts connections only from this machine. `localhost` counts as loopback.
 * @param host a name or an address; an IPv6 address may be in brackets, as in a URL
 */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 0) return address.toLowerCase() === 'localhost';
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8);
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
