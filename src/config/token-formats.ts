import * as z from 'zod/v4';
import { PERMISSIONS, type Permission, RESERVED_CALLERS } from '../lib/caller.ts';
import { reject } from './formats.ts';

/** A named bearer token. */
export interface NamedToken {
  /** The name of the caller in rules, the audit log and metrics. */
  readonly name: string;
  /** Empty: a token that is valid only for `/metrics`. */
  readonly permissions: readonly Permission[];
  /** The token, or its SHA-256 in lower-case hex. */
  readonly check: { readonly text: string } | { readonly sha256: string };
}

/** 16 hexadecimal characters are 64 bits. Failed attempts are limited (`GuessLimit`), so such a token cannot be guessed. */
const MIN_LENGTH = 16;
/** The characters allowed in an Authorization header (`b64token` of RFC 6750). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

const GENERATE = 'Generate a token with `openssl rand -hex 32`.';
const FORMAT =
  'Each line is NAME SCOPES TOKEN, for example: alice read,write sha256:… (or the token itself).';

/** One token with all permissions. */
export function bearerToken() {
  return z.string().transform((value, ctx) => {
    const token = value.trim();
    if (/\s/.test(token)) {
      return reject(ctx, 'contains a space', `To set several tokens, use HTTP_TOKENS. ${FORMAT}`);
    }
    const weakness = weaknessOf(token);
    return weakness === undefined ? token : reject(ctx, weakness, GENERATE);
  });
}

/** Lines of NAME SCOPES TOKEN. Empty lines and lines that begin with # are skipped. */
export function namedTokens() {
  return z.string().transform((value, ctx): readonly NamedToken[] => {
    const tokens: NamedToken[] = [];
    for (const [index, line] of value.split('\n').entries()) {
      const words = line.trim();
      if (words === '' || words.startsWith('#')) continue;
      const token = parseLine(words.split(/\s+/), tokens);
      if (typeof token === 'string') return reject(ctx, `line ${index + 1} ${token}`, FORMAT);
      tokens.push(token);
    }
    return tokens.length === 0 ? reject(ctx, 'contains no token', FORMAT) : tokens;
  });
}

/** The token of one line, or an error. The error never repeats a word of the line, because that may be a token. */
function parseLine(words: readonly string[], before: readonly NamedToken[]): NamedToken | string {
  const [name = '', permissionsText = '', secret = ''] = words;
  if (words.length !== 3)
    return `has ${words.length === 1 ? 'one word' : `${words.length} words`} instead of three`;
  if (!NAME.test(name)) return 'does not begin with a name (letters, digits and . _ @ -, at most 64)';
  if (RESERVED_CALLERS.includes(name)) return `has a reserved name (${RESERVED_CALLERS.join(', ')})`;
  if (before.some((token) => token.name === name)) return 'has the same name as an earlier line';
  const permissions = parsePermissions(permissionsText);
  if (permissions === undefined)
    return 'has invalid scopes: use read, write, host and confirm, separated by commas, or only metrics';
  const check = parseSecret(secret);
  if (typeof check === 'string') return `has a token that ${check}`;
  if (before.some((token) => sameCheck(token.check, check))) return 'has the same token as an earlier line';
  return { name, permissions, check };
}

function parsePermissions(text: string): readonly Permission[] | undefined {
  if (text === 'metrics') return [];
  const words = text.split(',');
  const permissions = PERMISSIONS.filter((permission) => words.includes(permission));
  // `confirm` alone is rejected, because it gives access to no tool.
  const opensTools = permissions.some((permission) => permission !== 'confirm');
  return permissions.length === words.length && opensTools ? permissions : undefined;
}

function parseSecret(text: string): NamedToken['check'] | string {
  const hash = /^sha256:(.*)$/i.exec(text)?.[1];
  if (hash === undefined) return weaknessOf(text) ?? { text };
  return /^[0-9a-f]{64}$/i.test(hash)
    ? { sha256: hash.toLowerCase() }
    : 'is not a SHA-256 (64 hex digits, as printed by `printf %s TOKEN | sha256sum`)';
}

function weaknessOf(token: string): string | undefined {
  if (!TOKEN.test(token))
    return 'contains characters that are not allowed in a header (allowed: letters, digits and - . _ ~ + /)';
  if (token.length < MIN_LENGTH) return `is shorter than ${MIN_LENGTH} characters, so it could be guessed`;
  if (new Set(token).size < 6) return 'has fewer than 6 different characters, so it could be guessed';
  return undefined;
}

function sameCheck(one: NamedToken['check'], other: NamedToken['check']): boolean {
  if ('text' in one) return 'text' in other && one.text === other.text;
  return 'sha256' in other && one.sha256 === other.sha256;
}
