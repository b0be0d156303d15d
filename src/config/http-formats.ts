import * as z from 'zod/v4';
import { reject } from './formats.ts';

/** Host names separated by commas, as in the Host header without the port: lower case, IPv6 in brackets. */
export function nameList() {
  return z.string().transform((value, ctx): readonly string[] => {
    const names = split(value).map((name) => hostnameOf(`http://${bracketed(name)}`));
    const good = names.filter((name) => name !== undefined);
    if (good.length < names.length || good.length === 0) {
      return reject(ctx, 'is not a comma-separated list of host names (no scheme, no port, no *)');
    }
    return good;
  });
}

/** Browser origins separated by commas: `https://chat.example.com:8443`. */
export function originList() {
  return z.string().transform((value, ctx): readonly string[] => {
    const origins = split(value).map(originOf);
    const good = origins.filter((origin) => origin !== undefined);
    if (good.length < origins.length || good.length === 0) {
      return reject(
        ctx,
        'is not a comma-separated list of origins, each scheme://name[:port] (no path, no *)',
      );
    }
    return good;
  });
}

function split(value: string): string[] {
  return value
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function bracketed(name: string): string {
  return name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
}

function hostnameOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname, href } = new URL(url);
  return href === `http://${hostname}/` && !hostname.includes('*') ? hostname : undefined;
}

function originOf(text: string): string | undefined {
  if (!URL.canParse(text) || text.includes('*')) return undefined;
  const { protocol, host, href } = new URL(text);
  // URL.origin is 'null' for the schemes of browser extensions.
  const origin = `${protocol}//${host}`;
  return host !== '' && (href === origin || href === `${origin}/`) ? origin : undefined;
}
