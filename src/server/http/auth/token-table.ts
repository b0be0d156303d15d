import { createHash, timingSafeEqual } from 'node:crypto';
import type { NamedToken } from '../../../config/token-formats.ts';
import type { Caller } from '../../../lib/caller.ts';
import { withImplied } from './scopes.ts';

/**
 * The bearer tokens that are known by their text. Digests are compared, all of them each time: how long an answer takes
 * tells neither how far a guess is right nor whose token it resembles.
 */
export class TokenTable {
  readonly #entries: readonly { readonly digest: Buffer; readonly caller: Caller }[];

  constructor(tokens: readonly NamedToken[]) {
    this.#entries = tokens.map(({ name, rights, check }) => ({
      digest: 'text' in check ? digestOf(check.text) : Buffer.from(check.sha256, 'hex'),
      caller: { name, rights: withImplied(rights) },
    }));
  }

  /** Whose token it is, by its digest. */
  find(digest: Buffer): Caller | undefined {
    let found: Caller | undefined;
    for (const entry of this.#entries) {
      if (timingSafeEqual(entry.digest, digest)) found = entry.caller;
    }
    return found;
  }
}

/** SHA-256 suffices where what is hashed cannot be guessed: tokens are random, unlike passwords. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}
