import { assignments } from './assignments.ts';
import { commandOptions } from './command-options.ts';
import { credentials } from './credentials.ts';
import { directives } from './directives.ts';
import { searchedTexts } from './ignoring-ansi.ts';
import { privateKeys } from './private-keys.ts';
import { secretFiles } from './secret-files.ts';
import type { Span } from './spans.ts';
import { mayHaveVendorToken, tokens, vendorCandidates } from './tokens.ts';

/** What the marks of this file say. */
export const FORM_KINDS = [
  'private key',
  'token',
  'password',
  'password hash',
  'secret',
  'credentials',
] as const;

/** More than tokens have characters; private keys may be longer, and are known by either end. */
export const LONGEST_TOKEN = 4096;

export type VendorTokens = (text: string) => Span[];

/** Everything in a text that is a secret by its form, in no order. Takes time in proportion to the text. */
export function secretForms(text: string, vendorTokens: VendorTokens): Span[] {
  return [
    ...privateKeys(text),
    // First, because of spans that begin together the first names the kind.
    ...tokens(text),
    ...vendorTokens(text),
    ...assignments(text),
    ...directives(text),
    ...commandOptions(text),
    ...secretFiles(text),
    ...credentials(text),
  ];
}

const NONE: VendorTokens = () => [];

/**
 * The rules for the tokens of many services if any of the texts may hold one. They are 115 KiB of code, which a server
 * that never meets such a token does not load.
 */
export async function vendorTokensFor(texts: Iterable<string>): Promise<VendorTokens> {
  for (const text of texts) {
    if (!searchedTexts(text).some(mayHaveVendorToken)) continue;
    try {
      return (await import('./vendor-rules.ts')).vendorTokens;
    } catch {
      return vendorCandidates; // rather too much than nothing
    }
  }
  return NONE;
}
