import fs from 'node:fs';
import * as z from 'zod/v4';
import { decodeText } from '../lib/decode-text.ts';
import { errnoOf, hasErrno } from '../lib/errno.ts';
import { absolutePath, type HostEnvironment, pathsOf } from './host-environment.ts';

/*
 * Parsers for the text of settings. An error message completes the sentence `NAME (source) …`. It never repeats the value,
 * because the value may be a secret in the wrong setting.
 */

/** Adds an error with a remedy; without one, the remedy is the example of the setting. */
export function reject(ctx: z.core.$RefinementCtx, message: string, remedy?: string): typeof z.NEVER {
  ctx.addIssue({ code: 'custom', message, ...(remedy === undefined ? {} : { params: { remedy } }) });
  return z.NEVER;
}

export function boolean() {
  return z.stringbool({
    truthy: ['true', '1', 'yes', 'on'],
    falsy: ['false', '0', 'no', 'off'],
    error: 'is neither true nor false (also valid: 1/0, yes/no, on/off)',
  });
}

/** An integer in digits. `0x16`, `1e3` and `+5` are rejected as likely typos. */
export function integer(min: number, max: number) {
  const error = `is not a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,16}$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, { error }).max(max, { error }));
}

export function choice<const T extends readonly [string, ...string[]]>(values: T) {
  return z
    .string()
    .toLowerCase()
    .pipe(z.enum(values, { error: `is not one of ${values.join(', ')}` }));
}

/** Some of these values, separated by commas. */
export function choices<const T extends readonly [string, ...string[]]>(values: T) {
  const error = `is not a comma-separated list of ${values.join(', ')}`;
  return z
    .string()
    .toLowerCase()
    .transform((value) => [...new Set(value.split(',').map((each) => each.trim()))].filter(Boolean))
    .pipe(z.array(z.enum(values, { error })).min(1, { error }));
}

export function text() {
  return z.string();
}

/** The text of a key: 32 bytes or more, so that it cannot be guessed. */
export function longSecret() {
  return z.string().refine((value) => Buffer.byteLength(value) >= 32, {
    error: 'is shorter than 32 bytes',
  });
}

export function userName() {
  return z.string().regex(/^[^\s:@/\\'"`$;&|<>-][^\s:@/'"`$;&|<>]*$/, { error: 'is not a user name' });
}

/** One address of a server. */
export interface ServerAddress {
  readonly host: string;
  readonly port?: number;
}

/** An address or a host name. Common mistakes, such as a URL, get a specific message. */
export function hostName() {
  return z.string().transform((value, ctx) => {
    const { host, port } = checkAddress(value, ctx) ?? {};
    return port === undefined ? (host ?? z.NEVER) : refusePort(ctx);
  });
}

/** One address as in `hostName`, or several with optional ports, separated by commas. */
export function hostNames() {
  return z.string().transform((value, ctx) => {
    const hosts = value.split(',').map((each) => each.trim());
    const addresses = hosts.map((each) => checkAddress(each, ctx));
    if (addresses.includes(undefined)) return z.NEVER;
    const [only] = addresses;
    if (hosts.length > 1 || only === undefined) return hosts.join(',');
    return only.port === undefined ? only.host : refusePort(ctx);
  });
}

function refusePort(ctx: z.core.$RefinementCtx): typeof z.NEVER {
  return reject(ctx, 'contains a port', 'Enter only the address, and set the port with SSH_PORT.');
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

/** A readable private key file. It is checked at the start rather than at the first call. */
export function keyFile(at: HostEnvironment) {
  return z.string().transform((value, ctx) => {
    if (value.includes('PRIVATE KEY')) {
      return reject(ctx, 'contains the key itself', 'Save the key in a file, and set the path of that file.');
    }
    const file = absolutePath(at, value);
    try {
      const start = decodeText(fs.readFileSync(file)).slice(0, 40);
      if (!/^(ssh-|ecdsa-|sk-)/.test(start)) return file;
      return reject(
        ctx,
        `is a public key (${file})`,
        'Set the path of the private key, which is the file without .pub.',
      );
    } catch (error) {
      return reject(ctx, `cannot be read: ${reason(error, file)}`, FILE_REMEDY);
    }
  });
}

/** A file path. The file may not exist yet. */
export function filePath(at: HostEnvironment) {
  return z.string().transform((value, ctx) => {
    const file = absolutePath(at, value);
    return isDirectory(file) ? reject(ctx, `is a directory: ${file}`, 'Set the path of a file.') : file;
  });
}

/** A readable file. */
export function readableFile(at: HostEnvironment) {
  return z.string().transform((value, ctx) => {
    const file = absolutePath(at, value);
    try {
      fs.readFileSync(file);
      return file;
    } catch (error) {
      return reject(ctx, `cannot be read: ${reason(error, file)}`, FILE_REMEDY);
    }
  });
}

/** A tag that is valid in Proxmox VE. */
export function tag() {
  return z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,123}$/, { error: 'is not a valid Proxmox VE tag' });
}

/** A directory path. The directory may not exist yet. */
export function directoryPath(at: HostEnvironment) {
  return z.string().transform((value, ctx) => {
    const dir = absolutePath(at, value);
    if (statOf(dir)?.isFile()) return reject(ctx, `is a file: ${dir}`, 'Set the path of a directory.');
    const blocked = parentsOf(dir, at).find((each) => statOf(each)?.isDirectory() === false);
    if (blocked === undefined) return dir;
    return reject(
      ctx,
      `is inside a path that is not a directory: ${blocked}`,
      'Set the path of a directory.',
    );
  });
}

export const FILE_REMEDY =
  'Correct the path (~ is allowed), or make the file readable for the user that runs this server.';

/** The reason why a file could not be used, in words instead of an errno. */
export function reason(error: unknown, file: string): string {
  if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return `${file} does not exist`;
  if (hasErrno(error, 'EACCES', 'EPERM')) return `${file} is not readable by this user`;
  if (hasErrno(error, 'EISDIR')) return `${file} is a directory`;
  return `${file} (${errnoOf(error) ?? String(error)})`;
}

export function isDirectory(file: string): boolean {
  return statOf(file)?.isDirectory() ?? false;
}

/** The stats of a file; undefined if it does not exist or is not accessible. */
export function statOf(file: string): fs.Stats | undefined {
  try {
    return fs.statSync(file);
  } catch {
    return undefined;
  }
}

/** The parent directories, nearest first. */
function parentsOf(dir: string, at: HostEnvironment): readonly string[] {
  const parent = pathsOf(at).dirname(dir);
  return parent === dir ? [] : [parent, ...parentsOf(parent, at)];
}
