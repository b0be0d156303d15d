import { placeholderOf } from '../../lib/placeholder.ts';
import type { Cleaned, Data, KnownSecret, Part, Redactor } from '../../lib/redactor.ts';
import { unsafeIn, visible } from '../../lib/visible.ts';
import { findIgnoringAnsi } from './ignoring-ansi.ts';
import { KnownValues } from './known-secrets.ts';
import { oneToken } from './one-token.ts';
import {
  findByPattern,
  LONGEST_TOKEN,
  PATTERN_KINDS,
  type VendorTokens,
  vendorTokensFor,
} from './patterns.ts';
import { merged, outsidePlaceholders, type Span } from './spans.ts';
import { vendorCandidates } from './tokens.ts';

export interface RedactorOptions {
  /** Called when the first text is redacted, which most starts never do. */
  readonly secrets?: () => Iterable<KnownSecret>;
  /** Whether text that looks like a secret is redacted, too (default: true). */
  readonly patterns?: boolean;
  /** Part of every placeholder (default: random). */
  readonly id?: string;
}

export function createRedactor({
  secrets = () => [],
  patterns = true,
  id: fixedId,
}: RedactorOptions = {}): Redactor {
  let id = fixedId;
  const placeholderId = (): string => {
    id ??= newId();
    return id;
  };
  const known = new KnownValues();
  let loaded = false;
  const ready = (): KnownValues => {
    if (!loaded) for (const { kind, value } of secrets()) known.add(kind, value);
    loaded = true;
    return known;
  };
  /** Texts that were just redacted in parts, and need not be redacted again after they have been joined. */
  let clean: readonly string[] = [];
  const remember = (text: string): void => {
    clean = [text, ...clean.slice(0, 3)];
  };
  const find = (text: string, short: boolean, vendor: VendorTokens): readonly Span[] => {
    const values = ready();
    const search = (stripped: string): readonly Span[] => {
      const found = values.find(stripped, short);
      return patterns ? merged([...found, ...findByPattern(stripped, vendor)]) : merged(found);
    };
    const found = merged(findIgnoringAnsi(text, search));
    if (found.length === 0) return found;
    const kinds = new Set([...PATTERN_KINDS, ...values.kinds]);
    return outsidePlaceholders(text, found, kinds, placeholderId());
  };
  const findInArgument = (text: string, vendor: VendorTokens): readonly Span[] => {
    const secrets = ready().find(text, false);
    if (!patterns) return merged(secrets);
    return merged([...secrets, ...findByPattern(text, vendor).flatMap((span) => oneToken(text, span))]);
  };
  const redact = (text: string, short: boolean, vendor: VendorTokens = vendorCandidates) => {
    const spans = find(text, short, vendor);
    return { value: visible(replaced(text, spans, placeholderId())), redacted: spans.length };
  };
  return {
    add: (kind, value) => {
      clean = [];
      ready().add(kind, value);
    },
    own: (text) => redact(text, true).value,
    show: (text) => redact(text, false).value,
    clean: async (data) => {
      // A list of containers repeats most of its texts.
      const texts = new Set<string>();
      collectStrings(data, texts);
      const vendor = patterns ? await vendorTokensFor(texts) : vendorCandidates;
      const one = (text: string) =>
        clean.includes(text) ? { value: text, redacted: 0 } : redact(text, false, vendor);
      return cleaned(data, new Map([...texts].map((text) => [text, one(text)])));
    },
    cleanArgument: async (text) => {
      const vendor = patterns ? await vendorTokensFor([text]) : vendorCandidates;
      return replaced(text, findInArgument(text, vendor), placeholderId());
    },
    parts: async (text) => {
      const vendor = patterns ? await vendorTokensFor([text]) : vendorCandidates;
      const parts = partsOf(text, find(text, false, vendor), placeholderId());
      remember(parts.map(({ shown }) => shown).join(''));
      return parts;
    },
    get overlap() {
      return Math.max(ready().longest, LONGEST_TOKEN);
    },
  };
}

/** Called when it is first needed: loading the code for it takes 3 ms of the server's start. */
function newId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(3))).toString('hex');
}

function replaced(text: string, spans: readonly Span[], id: string): string {
  if (spans.length === 0) return text;
  let result = '';
  let from = 0;
  for (const { start, end, kind } of spans) {
    result += text.slice(from, start) + placeholderOf(kind, id);
    from = end;
  }
  return result + text.slice(from);
}

/** @param texts every string in the data, redacted */
function cleaned(data: Data, texts: ReadonlyMap<string, { value: string; redacted: number }>): Cleaned {
  let redacted = 0;
  const copy = (inner: unknown): unknown => {
    if (typeof inner === 'string') {
      const text = texts.get(inner);
      if (text === undefined) throw new Error('a text was not redacted');
      redacted += text.redacted;
      return text.value;
    }
    if (Array.isArray(inner)) return inner.map(copy);
    return typeof inner === 'object' && inner !== null ? copyOf(inner) : inner;
  };
  const copyOf = (object: object) =>
    Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, copy(inner)]));
  return { data: copyOf(data), redacted };
}

/** Adds every string in a value, except field names, to a set. */
function collectStrings(value: unknown, texts: Set<string>): void {
  if (typeof value === 'string') texts.add(value);
  else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) collectStrings(inner, texts);
  }
}

function partsOf(text: string, spans: readonly Span[], id: string): Part[] {
  const parts: Part[] = [];
  const plain = (start: number, end: number): void => {
    const original = text.slice(start, end);
    let from = 0;
    for (const unsafe of unsafeIn(original)) {
      if (unsafe.start > from) parts.push(plainPart(original.slice(from, unsafe.start)));
      const character = original.slice(unsafe.start, unsafe.end);
      parts.push({ shown: visible(character), original: character, what: 'escape' });
      from = unsafe.end;
    }
    if (from < original.length) parts.push(plainPart(original.slice(from)));
  };
  let from = 0;
  for (const { start, end, kind } of spans) {
    plain(from, start);
    parts.push({ shown: placeholderOf(kind, id), original: text.slice(start, end), what: 'placeholder' });
    from = end;
  }
  plain(from, text.length);
  return parts;
}

function plainPart(text: string): Part {
  return { shown: text, original: text, what: 'plain' };
}
