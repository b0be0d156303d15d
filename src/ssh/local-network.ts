import { BlockList, isIP } from 'node:net';

/**
 * Whether a connection error is probably caused by Local Network privacy of macOS. For a program without that permission,
 * macOS reports "no route to host" for local addresses and does not resolve names in .local.
 *
 * @param host the host name or address; used if the error does not contain the address
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
  'If ssh in Terminal can connect to the host, macOS blocks local network access for the app that starts this server: enable that app in System Settings → Privacy & Security → Local Network and restart it. Terminal is not affected, so "proxmox-mcp doctor" works there';

/** Private and link-local address ranges. */
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
