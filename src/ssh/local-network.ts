import { BlockList, isIP } from 'node:net';

/**
 * Whether a failure to connect looks like the Local Network privacy of macOS: the system answers connections of a program
 * that was not allowed to use the local network as if there were no route, and does not resolve names in .local for it.
 *
 * @param host what was connected to; the address that was tried is taken from the error where it has one
 */
export function deniedByMacos(error: unknown, host: string, platform: NodeJS.Platform): boolean {
  if (platform !== 'darwin') return false;
  if (error instanceof AggregateError) {
    return error.errors.some((each: unknown) => deniedByMacos(each, host, platform));
  }
  if (!(error instanceof Error) || !('code' in error)) return false;
  if (error.code === 'ENOTFOUND') return /\.local\.?$/i.test(host);
  const address = 'address' in error && typeof error.address === 'string' ? error.address : host;
  return error.code === 'EHOSTUNREACH' && isOnLocalNetwork(address);
}

export const MACOS_HINT =
  'If ssh in Terminal reaches the host, macOS keeps the app that starts this server from the local network: switch that app on in System Settings → Privacy & Security → Local Network and restart it. Terminal, and so "proxmox-mcp doctor" in it, is not affected';

/** Addresses that are in use on the networks of homes and offices only. */
const LOCAL = new BlockList();
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  LOCAL.addSubnet(network, bits, 'ipv4');
}
LOCAL.addSubnet('fc00::', 7, 'ipv6');
LOCAL.addSubnet('fe80::', 10, 'ipv6');

function isOnLocalNetwork(address: string): boolean {
  const bare = address.replace(/%.*$/, '');
  const family = isIP(bare);
  return family !== 0 && LOCAL.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}
