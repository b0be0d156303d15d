import * as z from 'zod/v4';
import { RESERVED_CALLERS, RIGHTS, type Right } from '../lib/caller.ts';
import { fault } from './formats.ts';

/** A bearer token that the operator named. */
export interface NamedToken {
  /** Who calls with it, for rules, the record and metrics. */
  readonly name: string;
  /** None: a token for `/metrics` alone. */
  readonly rights: readonly Right[];
  /** The token itself, or the lower-case hex SHA-256 of it. */
  readonly check: { readonly text: string } | { readonly sha256: string };
}

/** 64 bits even when it is hexadecimal, and wrong ones are counted (`GuessLimit`): nobody gets that far over a network. */
const MIN_LENGTH = 16;
/** What an Authorization header can carry (`b64token` of RFC 6750). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

const MAKE_ONE = 'Make one with `openssl rand -hex 32`.';
const FORMAT =
  'Each line is NAME RIGHTS TOKEN, for example: alice read,write sha256:… (or the token itself).';

/** One token with all rights. */
export function bearerToken() {
  return z.string().transform((value, ctx) => {
    const token = value.trim();
    if (/\s/.test(token)) {
      return fault(ctx, 'holds more than one word', `For several tokens set HTTP_TOKENS. ${FORMAT}`);
    }
    const weakness = weaknessOf(token);
    return weakness === undefined ? token : fault(ctx, weakness, MAKE_ONE);
  });
}

/** Lines of NAME RIGHTS TOKEN; empty ones and those that begin with # are left out. */
export function namedTokens() {
  return z.string().transform((value, ctx): readonly NamedToken[] => {
    const tokens: NamedToken[] = [];
    for (const [index, line] of value.split('\n').entries()) {
      const words = line.trim();
      if (words === '' || words.startsWith('#')) continue;
      const token = parseLine(words.split(/\s+/), tokens);
      if (typeof token === 'string') return fault(ctx, `line ${index + 1} ${token}`, FORMAT);
      tokens.push(token);
    }
    return tokens.length === 0 ? fault(ctx, 'holds no token', FORMAT) : tokens;
  });
}

/** The token of one line, or what is wrong with it. Never repeats a word: it may be a token in the wrong place. */
function parseLine(words: readonly string[], before: readonly NamedToken[]): NamedToken | string {
  const [name = '', rightsText = '', secret = ''] = words;
  if (words.length !== 3)
    return `has ${words.length === 1 ? 'one word' : `${words.length} words`} instead of three`;
  if (!NAME.test(name)) return 'begins with no name (letters, digits and . _ @ -, at most 64)';
  if (RESERVED_CALLERS.includes(name)) return `has a name that is taken (${RESERVED_CALLERS.join(', ')})`;
  if (before.some((token) => token.name === name)) return 'has the name of a line before it';
  const rights = parseRights(rightsText);
  if (rights === undefined)
    return 'has other rights than read, write, host, confirm (with commas), or metrics alone';
  const check = parseSecret(secret);
  if (typeof check === 'string') return `has a token that ${check}`;
  if (before.some((token) => sameCheck(token.check, check))) return 'has the token of a line before it';
  return { name, rights, check };
}

function parseRights(text: string): readonly Right[] | undefined {
  if (text === 'metrics') return [];
  const words = text.split(',');
  const rights = RIGHTS.filter((right) => words.includes(right));
  // `confirm` opens no tool: alone it would be a token for nothing.
  const opensTools = rights.some((right) => right !== 'confirm');
  return rights.length === words.length && opensTools ? rights : undefined;
}

function parseSecret(text: string): NamedToken['check'] | string {
  const hash = /^sha256:(.*)$/i.exec(text)?.[1];
  if (hash === undefined) return weaknessOf(text) ?? { text };
  return /^[0-9a-f]{64}$/i.test(hash)
    ? { sha256: hash.toLowerCase() }
    : 'is no SHA-256 (64 hex digits, of `printf %s TOKEN | sha256sum`)';
}

function weaknessOf(token: string): string | undefined {
  if (!TOKEN.test(token)) return 'holds what a header cannot carry (letters, digits and - . _ ~ + / only)';
  if (token.length < MIN_LENGTH) return `is shorter than ${MIN_LENGTH} characters, so it might be guessed`;
  if (new Set(token).size < 6) return 'repeats a few characters, so it might be guessed';
  return undefined;
}

function sameCheck(one: NamedToken['check'], other: NamedToken['check']): boolean {
  if ('text' in one) return 'text' in other && one.text === other.text;
  return 'sha256' in other && one.sha256 === other.sha256;
}
