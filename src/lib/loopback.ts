import { BlockList, isIP, isIPv6 } from 'node:net';

/** The names by which a machine reaches itself, as the Host header has them. */
export const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'] as const;

/**
 * Whether only this machine can reach a server that listens on the address; `localhost` is taken at its word.
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
