/**
 * The client address for counting wrong tokens. With a reverse proxy it is the last entry of X-Forwarded-For, which the proxy
 * has added. The entries before it come from the client and cannot be trusted.
 *
 * @param peer address of the other end of the connection
 */
export function clientAddress(request: Request, peer: string, behindProxy: boolean): string {
  if (!behindProxy) return peer;
  const forwarded = request.headers.get('x-forwarded-for')?.split(',').at(-1)?.trim() ?? '';
  // Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711.
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(forwarded)?.[1] ?? forwarded.replace(/^([\d.]+):\d+$/, '$1');
  return /^[0-9a-fA-F.:]{2,45}$/.test(bare) ? bare : peer;
}
