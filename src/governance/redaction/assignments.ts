import { lazy } from '../../lib/lazy.ts';
import { isCodeAround, isCodeLine, isExpression, isOperand } from './source-code.ts';
import type { Span } from './spans.ts';
import {
  lineAround,
  lineStart,
  MAX_VALUE,
  secretAt,
  UNQUOTED_END,
  until,
  type Value,
  valueAt,
} from './value-spans.ts';

/** Names of secrets, at the end of a longer name (`DB_PASSWORD`, `client-secret`) or alone. */
const PASSWORD =
  'password|passwd|passphrase|passcode|passwort|kennwort|rootpw|bindpw|requirepass|masterauth|(?:db|my|smtp|ftp|admin|user|root|login|pg|ssh)(?:pass|pwd)|pass|pwd|pw|psk';
const KEYS =
  'api|access|account|secret|auth|encryption|signing|master|private|app|session|storage|client|webhook|jwt|hmac|license|nonce|logged[_-]in';
const SECRET = `secret|(?<!(?:PVE|PBS|PMG)API)token|(?:${KEYS})[_-]?key(?:[_-]?(?:base|data))?|(?:auth|nonce|logged[_-]in|password)[_-]?salt|credentials?|dockerconfigjson`;
const NAMES = `(?:(?<password>${PASSWORD})|(?:${SECRET}))(?:[_-]?\\d{1,2})?`;

/** A quick check before the expensive patterns. */
export const ASSIGNMENT_HINT =
  /pass|pwd|_pw|-pw|\bpw=|psk|identified|community|rootpw|bindpw|masterauth|kennwort|secret|token|key|salt|credential|dockerconfigjson/i;
/** A name, the quote or bracket that closes it, and the operator before its value. */
const assignedPattern = lazy(
  () =>
    new RegExp(
      String.raw`${NAMES}\\{0,3}["']?\]?(?<join>[ \t]{0,4}(?:=>|:=|\??=(?![=>])|::(?=[ \t])|:(?![:=]))[ \t]{0,8})`,
      'gi',
    ),
);
/** `name: DB_PASSWORD`, then `value: …`: Kubernetes, Docker, AWS; attributes of XML. */
const namedPattern = lazy(
  () =>
    new RegExp(
      String.raw`(?:\b(?:name|key|variable|parameter)["']?\s{0,3}[:=]\s{0,3}["']?|<)[\w.:-]{0,60}?${NAMES}["']?[ \t]{0,3}(?:,\s{0,40}|\s{1,40})["']?(?:value|default|stringvalue)["']?\s{0,3}[:=][ \t]{0,3}`,
      'gi',
    ),
);
/** `define('DB_PASSWORD', '…')` and other functions with a name and a value as arguments. */
const passedPattern = lazy(
  () =>
    new RegExp(
      String.raw`\b(?:define|setenv|putenv|env|getenv|setproperty|set|put|append|config|setdefault)\(\s{0,3}["'][\w.:-]{0,60}?${NAMES}["']\s{0,3},\s{0,3}(?=["'])`,
      'gi',
    ),
);
/** `<password>…</password>`, `<entry key="db.password">…</entry>`, and property lists. */
const elementPattern = lazy(
  () =>
    new RegExp(
      String.raw`<(?:[\w:.-]{0,40}?${NAMES}(?:\s[^<>]{0,200})?|[\w:.-]{1,40}\s[^<>]{0,80}?(?:name|key)=["'][\w.:-]{0,60}?${NAMES.replace('?<password>', '?<named>')}["'][^<>]{0,100}|key>[\w .:-]{0,60}?${NAMES.replace('?<password>', '?<keyed>')}<\/key>\s{0,40}<string)>\s{0,80}(?=[^<\s])`,
      'gi',
    ),
);
/** A value that is only a name: `"x-token"`. */
const NAME_OF_SECRET = /^[A-Za-z_-]*(?:token|key|secret)$/i;
/** Maximum length of the single word after a name that ends its line. */
const MAX_AFTER_COLON = 1024;

/** Values that are assigned to the name of a secret, in many notations. */
export function assignments(text: string): Span[] {
  if (!ASSIGNMENT_HINT.test(text)) return [];
  const spans = [...assigned(text)];
  for (const match of text.matchAll(namedPattern()))
    spans.push(...taken(text, match, valueAt(text, endOf(match), UNQUOTED_END)));
  for (const match of text.matchAll(passedPattern()))
    spans.push(...taken(text, match, valueAt(text, endOf(match), UNQUOTED_END)));
  for (const match of text.matchAll(elementPattern())) spans.push(...elementOf(text, match));
  return spans;
}

function* assigned(text: string): Generator<Span> {
  let redactedTo = 0;
  for (const match of text.matchAll(assignedPattern())) {
    // A name inside a redacted value is part of the value: `password=password=…` is searched once.
    if (match.index < redactedTo) continue;
    const span = spanOf(text, match);
    if (span === undefined) continue;
    yield span;
    redactedTo = span.end;
  }
}

interface Assignment {
  readonly name: string;
  /** Offset of the complete identifier, such as `DB_PASSWORD`. */
  readonly from: number;
  readonly isPassword: boolean;
  readonly join: string;
}

function spanOf(text: string, match: RegExpExecArray): Span | undefined {
  const name = /^[A-Za-z]+/.exec(match[0])?.[0] ?? '';
  const from = identifierStart(text, match.index);
  const join = (match.groups?.join ?? '').trim();
  const assignment = { name, from, join, isPassword: match.groups?.password !== undefined };
  if (!isName(text, match, assignment)) return undefined;
  const at = endOf(match);
  const closed = /["'\]]/.test(match[0]);
  const value =
    blockValue(text, at) ??
    (closed ? undefined : enclosedValue(text, at, assignment)) ??
    plainValue(text, at, assignment);
  if (!isTaken(text, value, assignment)) return undefined;
  const { isPassword } = assignment;
  return secretAt(text, value, isPassword ? 'password' : 'secret')[0];
}

/** Excludes names that are not secrets: `pass` and `pw` in other words, and names of scoped packages. */
function isName(text: string, match: RegExpExecArray, { name, from, join }: Assignment): boolean {
  const before = text[match.index - 1] ?? '';
  if (/^(?:pass|pwd|pw|psk)$/i.test(name)) {
    const separated = /^pw/i.test(name)
      ? /[_-]/.test(before) || /^PW=/.test(match[0])
      : !/[a-z]/i.test(before);
    const camel = /[a-z]/.test(before) && /^[A-Z][a-z]/.test(name);
    if (!separated && !camel) return false;
  }
  // A path, but not a Windows option.
  if (before === '/' && !/\s$/.test(match[0]) && !/\s/.test(text[match.index - 2] ?? ' ')) return false;
  // A label within quotes: "Password: ".
  const next = text[endOf(match)] ?? '';
  if (/["']/.test(next) && !/["']/.test(match[0]) && isWithin(text, from, next)) return false;
  const opening = text.slice(Math.max(0, from - 80), from);
  return !(join === ':' && /["'](?:@[\w.-]+\/|[\w./-]*node_modules\/[\w@./-]*)$/.test(opening));
}

function isTaken(text: string, value: Value, assignment: Assignment): boolean {
  const { name, from, join, isPassword } = assignment;
  const shown = text.slice(value.start, value.end);
  const bare = /^(?:pass|passcode)$/i.test(name) && isAlone(text, assignment);
  // Counts of tests.
  if (bare && /^\d+$/.test(shown)) return false;
  if (!isPassword && (shown.length < 6 || /^\d{1,8}$/.test(shown))) return false;
  if (!isPassword && NAME_OF_SECRET.test(shown)) return false;
  if (value.quoted) return true;
  const after = text.slice(value.end, value.end + 1);
  const expression = isExpression(shown, after);
  if (isEnvironment(text, assignment)) return !(expression && isCodeAround(text, from));
  if (expression || /^[{}()[\]]+$/.test(shown)) return false;
  if (isCodeLine(lineAround(text, from))) return false;
  if (isOperand(shown) && /password|passwd|token|secret|credential/i.test(shown)) return false;
  const word = /^[A-Za-z_$][A-Za-z_$-]*$/.test(shown);
  if ((isOperand(shown) || /[()[\]]/.test(shown)) && isCodeAround(text, from)) return false;
  if (word && join !== '=' && /[,}]/.test(after)) return false;
  if (join.startsWith(':')) {
    if (join !== ':=' && !endsLine(text, value.end) && !isPhrase(text, value, assignment)) return false;
    // "token" and "key" are common words, so a value without a digit does not count as a secret.
    if (!isPassword && (!/\d/.test(shown) || !/^[\w+/=.~:%-]+$/.test(shown))) return false;
    if (bare && word) return false;
  }
  return true;
}

/** Whether a quote is open at an offset of a line. */
function isWithin(text: string, at: number, quote: string): boolean {
  const lineFrom = lineStart(text, at);
  return text.slice(lineFrom, at).split(quote).length % 2 === 0;
}

/** A name without a prefix. */
function isAlone(text: string, { from, name }: Assignment): boolean {
  return text.slice(from, from + name.length).toLowerCase() === name.toLowerCase();
}

/** `password: two words` in YAML: a key at the beginning of its line, followed by a few words that are not a sentence. */
function isPhrase(text: string, { start, end }: Value, { from, isPassword }: Assignment): boolean {
  const lineFrom = lineStart(text, from);
  if (!isPassword || !/^[ \t-]{0,40}["']?$/.test(text.slice(lineFrom, from))) return false;
  return end > start && /^[a-z]/.test(text.slice(from, from + 1)) && phraseEnd(text, start) !== undefined;
}

function phraseEnd(text: string, start: number): number | undefined {
  const end = until(text, start, /[\r\n]/, 80);
  const words = text.slice(start, end).trimEnd().split(' ');
  const sentence =
    words.length > 4 ||
    words.some((word) =>
      /^(?:is|are|the|for|your|must|not|no|to|of|has|have|was|be|been|in|on|files|systemd|sss|compat|ldap|command|permission|please|enter|type|changed|updated|expired|failed|incorrect|required|successfully|unchanged|found|denied|mismatch|authentication|default)$/i.test(
        word,
      ),
    ) ||
    /[.:?!\u2026,;#"'(){}[\]<>=|]$|[{}()[\]<>=|#"]/.test(words.join(' '));
  return words.length > 1 && !sentence ? start + words.join(' ').length : undefined;
}

function plainValue(text: string, at: number, assignment: Assignment): Value {
  const { join } = assignment;
  const environment = isEnvironment(text, assignment);
  const item =
    environment &&
    /(?:^|\n)[ \t]{0,20}- $/.test(text.slice(Math.max(0, assignment.from - 24), assignment.from));
  const stops = item ? /[\r\n]/ : environment ? /\s/ : UNQUOTED_END;
  const value = valueAt(text, at, stops, join.startsWith(':') ? MAX_AFTER_COLON : MAX_VALUE);
  if (value.quoted || join !== ':' || endsLine(text, value.end)) return value;
  if (!isPhrase(text, value, assignment)) return value;
  return { ...value, end: phraseEnd(text, value.start) ?? value.end };
}

/** `"DB_PASSWORD=two words"`: quotes around name and value. */
function enclosedValue(text: string, at: number, { from, join }: Assignment): Value | undefined {
  const quote = text[from - 1] ?? '';
  if (join !== '=' || !/["']/.test(quote) || /["'\s\\]/.test(text[at] ?? ' ')) return undefined;
  const end = until(text, at, quote === '"' ? /["\n]/ : /['\n]/);
  return text[end] === quote ? { start: at, end, quoted: true } : undefined;
}

/** A YAML block scalar: `password: |`, with the value on the next line. */
function blockValue(text: string, at: number): Value | undefined {
  const block = /^[|>][+-]?[ \t]{0,8}\r?\n[ \t]{1,60}(?=\S)/.exec(text.slice(at, at + 80));
  if (block === null) return undefined;
  const start = at + block[0].length;
  return { start, end: until(text, start, /[\r\n]/), quoted: true };
}

/** NAME=value at the beginning of a line: the value extends to the next space. */
function isEnvironment(text: string, { from, join }: Assignment): boolean {
  if (join !== '=' || !/^[A-Z0-9_]{2,60}=/.test(text.slice(from, from + 62))) return false;
  const before = text.slice(Math.max(0, from - 60), from);
  return (
    from === 0 || /(?:^|\n)[ \t]{0,20}(?:(?:export|-|declare -x|local|readonly|set)[ \t]{1,4})?$/.test(before)
  );
}

function identifierStart(text: string, at: number): number {
  let start = at;
  while (start > at - 60 && /[\w.-]/.test(text[start - 1] ?? '')) start--;
  return start;
}

function endsLine(text: string, at: number): boolean {
  return (
    /^["',}\]\s\\]{0,8}(?:\n|$)|^[ \t]{1,8}#/.test(text.slice(at, at + 9)) ||
    /^["'`]/.test(text.slice(at, at + 1))
  );
}

function taken(text: string, match: RegExpExecArray, value: Value): Span[] {
  const isPassword = match.groups?.password !== undefined;
  if (!isPassword && value.end - value.start < 6) return [];
  return secretAt(text, value, isPassword ? 'password' : 'secret');
}

function elementOf(text: string, match: RegExpExecArray): Span[] {
  const start = endOf(match);
  const end = until(text, start, /[<\r\n]/);
  if (text.slice(end, end + 2) !== '</' && !/^\s*<\//.test(text.slice(end, end + 80))) return [];
  const { password, named, keyed } = match.groups ?? {};
  const isPassword = (password ?? named ?? keyed) !== undefined;
  if (!isPassword && end - start < 6) return [];
  return secretAt(text, { start, end }, isPassword ? 'password' : 'secret');
}

function endOf(match: RegExpExecArray): number {
  return match.index + match[0].length;
}
