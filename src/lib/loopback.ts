import { BlockList, isIP, isIPv6 } from 'node:net';

/** The loopback names, as in a Host header. */
export const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'] as const;

/**
 * Whether the address is a loopback address, so that only this machine can connect to it. `localhost` counts as one.
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
