import type { Span } from './spans.ts';
import { secretAt, until } from './value-spans.ts';

const AUTH_HINT = /authorization|bearer/i;
const HEADER =
  /\bauthorization\\{0,3}["']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,3}["']?(?:(?:basic|bearer|token|digest|negotiate|ntlm|apikey)[ \t]{1,4})(?=\S)/gi;
const BEARER = /\bbearer[ \t]{1,4}(?=[A-Za-z0-9._~+/=-]{16,})/gi;

/** Authorization headers, and URLs with a password. */
export function credentials(text: string): Span[] {
  const spans: Span[] = [];
  if (AUTH_HINT.test(text)) authorizations(text, spans);
  urls(text, spans);
  return spans;
}

function authorizations(text: string, spans: Span[]): void {
  for (const { index, 0: name } of text.matchAll(HEADER)) {
    const start = index + name.length;
    spans.push(...secretAt(text, { start, end: until(text, start, /["'`\r\n]/) }, 'credentials'));
  }
  for (const { index, 0: name } of text.matchAll(BEARER)) {
    const start = index + name.length;
    spans.push(...secretAt(text, { start, end: until(text, start, /[\s"'`,;)]/) }, 'credentials'));
  }
}

/** scheme://user:password@host: the text between the first colon and the last @ before the path. */
function urls(text: string, spans: Span[]): void {
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    const start = at + 3;
    const authority = text.slice(start, until(text, start, /[/?#\s"'<>`|\\]/));
    const host = authority.lastIndexOf('@');
    const colon = authority.indexOf(':');
    if (colon < 0 || host <= colon + 1) continue;
    spans.push(...secretAt(text, { start: start + colon + 1, end: start + host }, 'password'));
  }
}
