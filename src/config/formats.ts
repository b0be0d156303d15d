import fs from 'node:fs';
import * as z from 'zod/v4';
import { decodeText } from '../lib/decode-text.ts';
import { errnoOf, hasErrno } from '../lib/errno.ts';
import { absolutePath, type HostEnvironment, pathsOf } from './host-environment.ts';

/*
 * How the text of a setting is read. A message completes the sentence `NAME (source) …`: it never
 * repeats the value, because the value may be a secret pasted into the wrong place.
 */

/** Adds a fault with its own remedy; without one the remedy is the setting's example. */
export function fault(ctx: z.core.$RefinementCtx, message: string, remedy?: string): typeof z.NEVER {
  ctx.addIssue({ code: 'custom', message, ...(remedy === undefined ? {} : { params: { remedy } }) });
  return z.NEVER;
}

export function boolean() {
  return z.stringbool({
    truthy: ['true', '1', 'yes', 'on'],
    falsy: ['false', '0', 'no', 'off'],
    error: 'is neither true nor false (1/0, yes/no and on/off are understood, too)',
  });
}

/** Digits only: `0x16`, `1e3` and `+5` are more likely slips than meant. */
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

export function text() {
  return z.string();
}

/** What keys are made from: nobody must be able to guess it. */
export function longSecret() {
  return z.string().refine((value) => Buffer.byteLength(value) >= 32, {
    error: 'is shorter than 32 bytes',
  });
}

export function userName() {
  return z.string().regex(/^[^\s:@/\\'"`$;&|<>-][^\s:@/'"`$;&|<>]*$/, { error: 'is not a user name' });
}

/** An address or a name, nothing around it: the mistakes that people make here deserve better than "not found". */
export function hostName() {
  return z.string().transform((value, ctx) => {
    const bare = /^\[(.+)\]$/.exec(value)?.[1] ?? value;
    if (bare.includes('://'))
      return fault(ctx, 'is a URL', 'Give the address alone, for example 192.0.2.10.');
    if (bare.includes('@')) {
      return fault(ctx, 'contains a user name', 'Give the address alone and the user in SSH_USERNAME.');
    }
    if (/^[^:]+:\d+$/.test(bare) || /^\[.+\]:\d+$/.test(bare)) {
      return fault(ctx, 'contains a port', 'Give the address alone and the port in SSH_PORT.');
    }
    if (!/^[\p{L}\p{N}_.:%][\p{L}\p{N}_.:%-]*$/u.test(bare))
      return fault(ctx, 'is not an address or a host name');
    return bare;
  });
}

/** One server on the way to the node. What is absent comes from ~/.ssh/config or the defaults. */
export interface JumpHop {
  readonly host: string;
  readonly username?: string;
  readonly port?: number;
  /** Private keys that were named for this hop. */
  readonly identityFiles?: readonly string[];
}

/** `user@host:port[,…]` as in OpenSSH's ProxyJump, IPv6 in brackets. `none`: no jump, whatever ~/.ssh/config says. */
export function jumpList() {
  return z.string().transform((value, ctx): readonly JumpHop[] => {
    if (value.toLowerCase() === 'none') return [];
    const hops = value.split(',').map((hop) => parseHop(hop.trim()));
    const good = hops.filter((hop) => hop !== undefined);
    return good.length === hops.length
      ? good
      : fault(ctx, 'is not a list of [user@]host[:port], separated by commas (IPv6 addresses in brackets)');
  });
}

/** Reads one hop of a jump list; undefined when it is none. */
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

/** A private key that exists and can be read now: better known at the start than at the first call. */
export function keyFile(at: HostEnvironment) {
  return z.string().transform((value, ctx) => {
    if (value.includes('PRIVATE KEY')) {
      return fault(ctx, 'holds a key itself', 'Put the key into a file and give the path of that file.');
    }
    const file = absolutePath(at, value);
    try {
      const start = decodeText(fs.readFileSync(file)).slice(0, 40);
      if (!/^(ssh-|ecdsa-|sk-)/.test(start)) return file;
      return fault(ctx, `names a public key (${file})`, 'Name the private key; it is the file without .pub.');
    } catch (error) {
      return fault(ctx, `names a file that cannot be read: ${reason(error, file)}`, FILE_REMEDY);
    }
  });
}

/** A file that need not exist yet. */
export function filePath(at: HostEnvironment) {
  return z.string().transform((value, ctx) => {
    const file = absolutePath(at, value);
    return isDirectory(file) ? fault(ctx, `names a directory: ${file}`, 'Name a file.') : file;
  });
}

/** A file that is there and can be read. */
export function readableFile(at: HostEnvironment) {
  return z.string().transform((value, ctx) => {
    const file = absolutePath(at, value);
    try {
      fs.readFileSync(file);
      return file;
    } catch (error) {
      return fault(ctx, `names a file that cannot be read: ${reason(error, file)}`, FILE_REMEDY);
    }
  });
}

/** A tag as Proxmox VE takes them. */
export function tag() {
  return z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,123}$/, { error: 'is not a tag of Proxmox VE' });
}

/** A directory that need not exist yet. */
export function directoryPath(at: HostEnvironment) {
  return z.string().transform((value, ctx) => {
    const dir = absolutePath(at, value);
    if (statOf(dir)?.isFile()) return fault(ctx, `names a file: ${dir}`, 'Name a directory.');
    const blocked = above(dir, at).find((each) => statOf(each)?.isDirectory() === false);
    if (blocked === undefined) return dir;
    return fault(ctx, `lies below what is no directory: ${blocked}`, 'Name a directory.');
  });
}

export const FILE_REMEDY =
  'Correct the path (~ is understood), or give the user who runs this server the right to read it.';

/** Why a file could not be used, in words that do not need an errno table. */
export function reason(error: unknown, file: string): string {
  if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return `${file} does not exist`;
  if (hasErrno(error, 'EACCES', 'EPERM')) return `${file} may not be read by this user`;
  if (hasErrno(error, 'EISDIR')) return `${file} is a directory`;
  return `${file} (${errnoOf(error) ?? String(error)})`;
}

export function isDirectory(file: string): boolean {
  return statOf(file)?.isDirectory() ?? false;
}

/** undefined: it is not there, or this user may not look. */
export function statOf(file: string): fs.Stats | undefined {
  try {
    return fs.statSync(file);
  } catch {
    return undefined;
  }
}

/** The directories that lead to one, the nearest first. */
function above(dir: string, at: HostEnvironment): readonly string[] {
  const parent = pathsOf(at).dirname(dir);
  return parent === dir ? [] : [parent, ...above(parent, at)];
}
