import * as z from 'zod/v4';
import { isLoopback } from '../lib/loopback.ts';
import { fault } from './formats.ts';

/** A URL of the web without a fragment or a login, as it was written. */
export function webUrl() {
  return z.string().transform((value, ctx) => {
    const url = parseUrl(value);
    if (url === undefined || !/^https?:$/.test(url.protocol))
      return fault(ctx, 'is not an http or https URL');
    if (url.username !== '' || url.password !== '') return fault(ctx, 'contains a login');
    if (url.hash !== '' || url.search !== '') return fault(ctx, 'has something behind its path');
    return value;
  });
}

/**
 * The URL of an issuer of tokens, as it was written: tokens must name it to the letter. Keys that come over plain http
 * could be anybody's, but on this machine.
 */
export function issuerUrl() {
  return webUrl().transform((value, ctx) => {
    const url = parseUrl(value);
    return url?.protocol === 'https:' || isLoopback(url?.hostname ?? '')
      ? value
      : fault(
          ctx,
          'is not https',
          'Give the https URL of the issuer; plain http is for loopback addresses alone.',
        );
  });
}

/** What a scope may begin with (`scope-token` of RFC 6749). */
export function scopePrefix() {
  return z.string().regex(/^[!#-[\]-~]{0,200}$/, {
    error: 'holds what a scope cannot hold (spaces, quotes, backslashes, or more than ASCII)',
  });
}

/** Whether a text is a URL by which clients could reach a server. */
export function isWebUrl(text: string): boolean {
  return webUrl().safeParse(text).success;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
