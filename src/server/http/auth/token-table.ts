import { createHash, timingSafeEqual } from 'node:crypto';
import type { NamedToken } from '../../../config/token-formats.ts';
import type { Caller } from '../../../lib/caller.ts';
import { withImplied } from './scopes.ts';

/**
 * The configured bearer tokens. Each lookup compares the digest with all digests, so that the response time reveals nothing
 * about the tokens.
 */
export class TokenTable {
  readonly #entries: readonly { readonly digest: Buffer; readonly caller: Caller }[];

  constructor(tokens: readonly NamedToken[]) {
    this.#entries = tokens.map(({ name, permissions, check }) => ({
      digest: 'text' in check ? digestOf(check.text) : Buffer.from(check.sha256, 'hex'),
      caller: { name, permissions: withImplied(permissions) },
    }));
  }

  /** The caller of a token, by its digest. */
  find(digest: Buffer): Caller | undefined {
    let found: Caller | undefined;
    for (const entry of this.#entries) {
      if (timingSafeEqual(entry.digest, digest)) found = entry.caller;
    }
    return found;
  }
}

/** SHA-256 is sufficient, because tokens are random, unlike passwords. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}
