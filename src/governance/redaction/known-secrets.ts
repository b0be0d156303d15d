import { searchedTexts } from './ignoring-ansi.ts';
import type { Span } from './spans.ts';

/** Minimum length for redaction in results: a password such as `root` would otherwise redact every path and user name. */
const MIN_IN_RESULTS = 8;
/** Characters at each end of base64 that also depend on neighboring bytes, if the value does not begin at a group of three. */
const BASE64_EDGE = 3;

interface Needle {
  readonly text: string;
  readonly kind: string;
  readonly base64: boolean;
}

/**
 * The secret values from the settings. They are found unchanged and in common encodings: in JSON, URLs, HTML and shell words,
 * as base64 (alone or inside a longer text, as in Basic authentication) and as hex.
 */
export class KnownValues {
  readonly #values = new Map<string, string>();
  #long: readonly Needle[] = [];
  #short: readonly Needle[] = [];

  add(kind: string, value: string): void {
    if (value === '' || this.#values.has(value)) return;
    this.#values.set(value, kind);
    // Texts are searched without invisible characters, so invisible characters of the value must be removed, too.
    for (const searched of new Set([value, ...searchedTexts(value)])) this.#addNeedles(kind, searched);
  }

  #addNeedles(kind: string, value: string): void {
    if (value === '') return;
    if (value.length < MIN_IN_RESULTS) this.#short = [...this.#short, { text: value, kind, base64: false }];
    else this.#long = [...this.#long, ...needlesOf(value, kind)];
  }

  get kinds(): ReadonlySet<string> {
    return new Set(this.#values.values());
  }

  /** UTF-16 units of the longest encoding of a value. Code that truncates text must keep this much around the cut. */
  get longest(): number {
    return this.#long.reduce((longest, { text }) => Math.max(longest, text.length + 2 * BASE64_EDGE), 0);
  }

  /** @param short also find values shorter than eight characters, for our own messages */
  find(text: string, short: boolean): Span[] {
    const spans = this.#long.flatMap((needle) => occurrences(text, needle));
    return short ? [...spans, ...this.#short.flatMap((needle) => occurrences(text, needle))] : spans;
  }
}

function occurrences(text: string, { text: needle, kind, base64 }: Needle): Span[] {
  const spans: Span[] = [];
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    let start = at;
    let end = at + needle.length;
    if (base64) {
      while (start > at - BASE64_EDGE && isBase64(text[start - 1])) start--;
      while (end < at + needle.length + BASE64_EDGE && isBase64(text[end])) end++;
    }
    const last = spans.at(-1);
    // A repetitive value overlaps itself. Its matches are merged, because a megabyte of it would produce a million spans.
    if (last !== undefined && start < last.end) spans[spans.length - 1] = { ...last, end };
    else spans.push({ start, end, kind });
  }
  return spans;
}

function isBase64(character: string | undefined): boolean {
  return character !== undefined && /[A-Za-z0-9+/=_-]/.test(character);
}

function needlesOf(value: string, kind: string): Needle[] {
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(value);
  const plain = [
    value,
    json,
    json.replaceAll('/', '\\/'),
    JSON.stringify(json).slice(1, -1),
    url,
    new URLSearchParams({ '': value }).toString().slice(1),
    url.replace(/%../g, (hex) => hex.toLowerCase()),
    url.replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`),
    value.replaceAll("'", "'\\''"),
    value.replaceAll("'", `'"'"'`),
    value.replace(/[\\"$`]/g, '\\$&'),
    value.replace(/[^\w@%+=:,./-]/g, '\\$&'),
    value
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;'),
    Buffer.from(value).toString('hex'),
    Buffer.from(value).toString('hex').toUpperCase(),
  ];
  const encoded = base64Cores(value);
  return [
    ...[...new Set(plain)].map((text) => ({ text, kind, base64: false })),
    ...[...new Set(encoded)].map((text) => ({ text, kind, base64: true })),
  ];
}

/**
 * The base64 text that every base64 encoding of a longer text with the value contains: the groups that depend only on the
 * value, for each of its three possible offsets in a group.
 */
function base64Cores(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const from = before === 0 ? 0 : before + 1;
    const to = Math.floor((whole.length * 8) / 6);
    const core = whole.toString('base64').slice(from, to);
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
