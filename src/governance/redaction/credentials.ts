import type { Span } from './spans.ts';

/** Names of what is secret, at the end of a longer name (`DB_PASSWORD`, `client-secret`) or alone. */
const PASSWORD = 'password|passwd|passphrase|passcode|(?<![a-z])pass|(?<=[_-])pwd';
const SECRET =
  'secret|(?<!(?:PVE|PBS|PMG)API)token|(?:api|access|account|secret|auth|encryption)[_-]?key|credentials?';
const OPTION = '(?:password|passwd|passphrase|token|secret|api-key|access-key|client-secret)';

const AUTH_HINT = /authorization|bearer/i;
const HINT = /pass|_pwd|-pwd|secret|token|key|credential/i;
/** The name, a quote that ends it, and what joins it to its value. */
const ASSIGNED = new RegExp(
  `(?:(?<password>${PASSWORD})|(?:${SECRET}))\\\\{0,3}["']?[ \\t]{0,4}(?<join>=>|:=|==?|:)[ \\t]{0,8}`,
  'gi',
);
const OPTION_VALUE = new RegExp(`-(?<=\\s--?)${OPTION} (?=[^\\s-])`, 'gi');
const SSHPASS = /\bsshpass -p ?(?=\S)/g;
const HEADER =
  /\bauthorization\\{0,3}["']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,3}["']?(?:(?:basic|bearer|token|digest|negotiate|ntlm|apikey)[ \t]{1,4})(?=\S)/gi;
const BEARER = /\bbearer[ \t]{1,4}(?=[A-Za-z0-9._~+/=-]{16,})/gi;
/** Longer values are covered up to here, and what remains looks like nothing. */
const MAX_VALUE = 4096;
/** A single word that ends its line; each name may be looked at this far. */
const MAX_AFTER_COLON = 1024;
const MAX_STAND_IN = 100;
const BLANK_OR_QUOTE = /[\s"'`]/;
const UNQUOTED_END = /[\s"'`&;,)}\]<>|]/;

interface Place {
  readonly start: number;
  readonly end: number;
}

/** Stand-ins: variables, templates, examples, files, and words that say whether there is a password or where it is looked for. */
const NO_SECRET =
  /^(?:\$[A-Z_][A-Z0-9_]*|\$[a-z_]+|\$\d|\$[({].*|%.*%|%[a-z]|\{\{.*|<.*|\*+|[xX]+|[•.…-]+|null|none|nil|undefined|true|false|yes|no|on|off|to|and|or|is|the|for|from|with|required|optional|string|text|value|password|token|secret|prompt|ask|files|compat|systemd|db|sss|ldap|\d{1,3}|~?(?:\/[\w.@-]+){2,}\/?|file:.*|\/dev\/\w+)$/i;

/** `password=…` and its kin, headers of authorization, and URLs with a password. */
export function credentials(text: string): Span[] {
  const spans: Span[] = [];
  if (HINT.test(text)) {
    assignments(text, spans);
    for (const pattern of [OPTION_VALUE, SSHPASS]) {
      for (const { index, 0: option } of text.matchAll(pattern)) {
        push(spans, text, valueAt(text, index + option.length, BLANK_OR_QUOTE, MAX_VALUE), 'password');
      }
    }
  }
  if (AUTH_HINT.test(text)) authorizations(text, spans);
  urls(text, spans);
  return spans;
}

function authorizations(text: string, spans: Span[]): void {
  for (const { index, 0: name } of text.matchAll(HEADER)) {
    const start = index + name.length;
    push(spans, text, { start, end: until(text, start, /["'`\r\n]/, MAX_VALUE) }, 'credentials');
  }
  for (const { index, 0: name } of text.matchAll(BEARER)) {
    const start = index + name.length;
    push(spans, text, { start, end: until(text, start, /[\s"'`,;)]/, MAX_VALUE) }, 'credentials');
  }
}

function assignments(text: string, spans: Span[]): void {
  let covered = 0;
  for (const match of text.matchAll(ASSIGNED)) {
    // A name within a value that is covered is a part of it: `password=password=…` is looked at once.
    if (match.index < covered) continue;
    const value = assigned(text, match);
    if (value === undefined) continue;
    spans.push(value);
    covered = value.end;
  }
}

function assigned(text: string, match: RegExpExecArray): Span | undefined {
  const { password, join } = match.groups ?? {};
  const at = match.index + match[0].length;
  const colon = join === ':';
  // A count of tests that pass.
  if (colon && /^(?:pass|passcode|pwd)$/i.test(password ?? '')) return undefined;
  const quoted = /^\\{0,3}["'`]/.test(text.slice(at, at + 4));
  const environment = join === '=' && isEnvironment(text, match.index);
  const value = valueAt(text, at, environment ? /\s/ : UNQUOTED_END, colon ? MAX_AFTER_COLON : MAX_VALUE);
  if (colon && !quoted && !endsLine(text, value.end)) return undefined;
  if (!isSecret(text, value)) return undefined;
  if (password !== undefined) return { ...value, kind: 'password' };
  // "token" and "key" are words of every day: what is short, or has no digit, is no secret of a machine.
  if (value.end - value.start < 6) return undefined;
  if (colon && !quoted && !/\d/.test(text.slice(value.start, value.end))) return undefined;
  return { ...value, kind: 'secret' };
}

/** NAME=value at the beginning of a line, where all up to the next blank is the value. */
function isEnvironment(text: string, nameAt: number): boolean {
  let start = nameAt;
  while (start > nameAt - 60 && /[A-Z0-9_]/.test(text[start - 1] ?? '')) start--;
  const before = text.slice(Math.max(0, start - 8), start);
  return start === 0 || before.endsWith('\n') || /^\n?export $/.test(before);
}

function endsLine(text: string, at: number): boolean {
  return /^["',}\]\s\\]{0,8}(?:\n|$)/.test(text.slice(at, at + 9)) || /^["'`]/.test(text.slice(at, at + 1));
}

/** The value that begins here: within quotes, else up to one of `stops`. */
function valueAt(text: string, at: number, stops: RegExp, max: number): Place {
  const [opening] = /^\\{0,3}["'`]/.exec(text.slice(at, at + 4)) ?? [];
  if (opening === undefined) return { start: at, end: until(text, at, stops, max) };
  const start = at + opening.length;
  const quote = opening.slice(-1);
  const escaped = opening.length > 1;
  for (let end = start; end < Math.min(text.length, start + MAX_VALUE); end++) {
    const character = text[end];
    if (character === '\n') return { start, end };
    if (character === quote) return { start, end: escaped ? end - opening.length + 1 : end };
    if (character === '\\' && !escaped) end++;
  }
  return { start, end: Math.min(text.length, start + MAX_VALUE) };
}

function until(text: string, start: number, stops: RegExp, max: number): number {
  const found = text.slice(start, start + max).search(stops);
  return found < 0 ? Math.min(text.length, start + max) : start + found;
}

/** scheme://user:password@host: all between the first colon and the last @ before the path. */
function urls(text: string, spans: Span[]): void {
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    const start = at + 3;
    const authority = text.slice(start, until(text, start, /[/?#\s"'<>`|\\]/, MAX_VALUE));
    const host = authority.lastIndexOf('@');
    const colon = authority.indexOf(':');
    if (colon < 0 || host <= colon + 1) continue;
    push(spans, text, { start: start + colon + 1, end: start + host }, 'password');
  }
}

function push(spans: Span[], text: string, place: Place, kind: string): void {
  if (isSecret(text, place)) spans.push({ ...place, kind });
}

function isSecret(text: string, { start, end }: Place): boolean {
  if (end <= start) return false;
  return end - start > MAX_STAND_IN || !NO_SECRET.test(text.slice(start, end));
}
