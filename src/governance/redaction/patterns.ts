import { assignments } from './assignments.ts';
import { commandOptions } from './command-options.ts';
import { credentials } from './credentials.ts';
import { directives } from './directives.ts';
import { searchedTexts } from './ignoring-ansi.ts';
import { privateKeys } from './private-keys.ts';
import { secretFiles } from './secret-files.ts';
import type { Span } from './spans.ts';
import { mayHaveVendorToken, tokens, vendorCandidates } from './tokens.ts';

/** The kinds in the placeholders for matches of the patterns. */
export const PATTERN_KINDS = [
  'private key',
  'token',
  'password',
  'password hash',
  'secret',
  'credentials',
] as const;

/** Maximum length of a token. Private keys may be longer, but are recognized by either end. */
export const LONGEST_TOKEN = 4096;

export type VendorTokens = (text: string) => Span[];

/** All parts of a text that look like secrets, in no particular order. Takes linear time. */
export function findByPattern(text: string, vendorTokens: VendorTokens): Span[] {
  return [
    ...privateKeys(text),
    // Before the other rules: of spans that begin at the same offset, the first one determines the kind.
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
 * The rules for the tokens of many services, if any of the texts may contain one. They are 115 KiB of code, which is loaded
 * only if necessary.
 */
export async function vendorTokensFor(texts: Iterable<string>): Promise<VendorTokens> {
  for (const text of texts) {
    if (!searchedTexts(text).some(mayHaveVendorToken)) continue;
    try {
      return (await import('./vendor-rules.ts')).vendorTokens;
    } catch {
      return vendorCandidates; // redacts too much rather than too little
    }
  }
  return NONE;
}
