import * as z from 'zod/v4';
import { isLoopback } from '../lib/loopback.ts';
import { reject } from './formats.ts';

/** An http or https URL without a login, a query or a fragment. It is returned unchanged. */
export function webUrl() {
  return z.string().transform((value, ctx) => {
    const url = parseUrl(value);
    if (url === undefined || !/^https?:$/.test(url.protocol))
      return reject(ctx, 'is not an http or https URL');
    if (url.username !== '' || url.password !== '') return reject(ctx, 'contains a user name or password');
    if (url.hash !== '' || url.search !== '') return reject(ctx, 'has a query or a fragment');
    return value;
  });
}

/**
 * The URL of a token issuer. It is returned unchanged, because tokens must contain exactly this URL. Plain http is allowed only on
 * loopback, because the keys of the issuer could be replaced in transit.
 */
export function issuerUrl() {
  return webUrl().transform((value, ctx) => {
    const url = parseUrl(value);
    return url?.protocol === 'https:' || isLoopback(url?.hostname ?? '')
      ? value
      : reject(
          ctx,
          'is not https',
          'Set the https URL of the issuer. Plain http is allowed only for loopback addresses.',
        );
  });
}

/** A prefix of scopes, with the characters that a scope may contain (`scope-token` of RFC 6749). */
export function scopePrefix() {
  return z.string().regex(/^[!#-[\]-~]{0,200}$/, {
    error: 'contains characters that are not allowed in a scope (spaces, quotes, backslashes, non-ASCII)',
  });
}

/** Whether a text is a valid http or https URL. */
export function isWebUrl(text: string): boolean {
  return webUrl().safeParse(text).success;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
