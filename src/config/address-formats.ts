import * as z from 'zod/v4';
import { reject } from './formats.ts';

/* Formats of settings with addresses. */

/** One address of a server. */
export interface ServerAddress {
  readonly host: string;
  readonly port?: number;
}

/** An address or a host name. Common mistakes, such as a URL, get a specific message. */
export function hostName() {
  return z.string().transform((value, ctx) => {
    const { host, port } = checkAddress(value, ctx) ?? {};
    if (port === undefined) return host ?? z.NEVER;
    return reject(ctx, 'contains a port', 'Enter only the address, and set the port with SERVER_PORT.');
  });
}

/** One or several addresses as in `hostName`, separated by commas, with optional ports. */
export function hostNames() {
  return z.string().transform((value, ctx) => {
    const hosts = value.split(',').map((each) => each.trim());
    const addresses = hosts.map((each) => checkAddress(each, ctx));
    if (addresses.includes(undefined)) return z.NEVER;
    const [only] = addresses;
    return hosts.length === 1 && only !== undefined && only.port === undefined ? only.host : hosts.join(',');
  });
}

/** @returns undefined after it has added an error */
function checkAddress(text: string, ctx: z.core.$RefinementCtx): ServerAddress | undefined {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  if (text.includes('://')) reject(ctx, 'is a URL', 'Enter only the address, for example 192.0.2.10.');
  else if (text.includes('@')) {
    reject(ctx, 'contains a user name', 'Enter only the address, and set the user with SSH_USERNAME.');
  } else reject(ctx, 'is not an address or a host name');
  return undefined;
}

/** The addresses in a list that `hostNames` has accepted, in order. */
export function addressesOf(hosts: string): readonly ServerAddress[] {
  return hosts.split(',').flatMap((each) => parseAddress(each) ?? []);
}

/** `pve2=192.0.2.12,pve3=[2001:db8::3]:2222`: addresses of servers by name. */
export function namedAddresses() {
  return z.string().transform((value, ctx): ReadonlyMap<string, ServerAddress> => {
    const entries = value
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '');
    const found = new Map<string, ServerAddress>();
    for (const entry of entries) {
      const [, name = '', text = ''] = /^([A-Za-z0-9][A-Za-z0-9-]*)=(.+)$/.exec(entry) ?? [];
      const address = parseAddress(text.trim());
      if (name === '' || address === undefined || found.has(name)) {
        return reject(ctx, 'is not a list of NODE=ADDRESS or NODE=ADDRESS:PORT with each node once');
      }
      found.set(name, address);
    }
    return found;
  });
}

/** Parses `host`, `host:port`, an IPv6 address, or one in brackets with or without a port; undefined if it is none of them. */
export function parseAddress(text: string): ServerAddress | undefined {
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:[\]]+))(?::(?<port>\d{1,5}))?$/.exec(text);
  const host = match?.groups?.six ?? match?.groups?.host ?? text;
  if (!/^[\p{L}\p{N}_.:%][\p{L}\p{N}_.:%-]*$/u.test(host)) return undefined;
  if (match?.groups?.port === undefined) return { host };
  const port = Number(match.groups.port);
  return port < 1 || port > 65535 ? undefined : { host, port };
}

/** One jump host. Absent fields come from ~/.ssh/config or from the defaults. */
export interface JumpHop {
  readonly host: string;
  readonly username?: string;
  readonly port?: number;
  /** Private keys for this jump host. */
  readonly identityFiles?: readonly string[];
}

/** `user@host:port[,…]` as in OpenSSH's ProxyJump, IPv6 in brackets. `none`: no jump host, even if ~/.ssh/config has one. */
export function jumpList() {
  return z.string().transform((value, ctx): readonly JumpHop[] => {
    if (value.toLowerCase() === 'none') return [];
    const hops = value.split(',').map((hop) => parseHop(hop.trim()));
    const good = hops.filter((hop) => hop !== undefined);
    return good.length === hops.length
      ? good
      : reject(ctx, 'is not a list of [user@]host[:port], separated by commas (IPv6 addresses in brackets)');
  });
}

/** Parses one jump host; undefined if it is invalid. */
export function parseHop(hop: string): JumpHop | undefined {
  const match =
    /^(?:ssh:\/\/)?(?:(?<user>[^@\s]+)@)?(?:\[(?<six>[0-9a-fA-F:.%\w]+)\]|(?<host>[^\s:@[\]/-][^\s:@[\]/]*))(?::(?<port>\d{1,5}))?\/?$/.exec(
      hop,
    );
  const host = match?.groups?.six ?? match?.groups?.host;
  if (host === undefined) return undefined;
  const username = match?.groups?.user;
  const port = match?.groups?.port === undefined ? undefined : Number(match.groups.port);
  if (port !== undefined && (port < 1 || port > 65535)) return undefined;
  return { host, ...(username === undefined ? {} : { username }), ...(port === undefined ? {} : { port }) };
}
