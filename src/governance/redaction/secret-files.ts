import type { Span } from './spans.ts';
import { secretAt } from './value-spans.ts';

/** Lines of files with a password at a fixed position and without a name. */
const LINES: readonly RegExp[] = [
  // .pgpass: host:port:database:user:password
  /^(?!\/)[^:\s"'{}]{1,200}:(?:\*|\d{4,5}):[^:\s"'{}]{1,100}:[^:\s"'{}/]{1,100}:(?<value>(?:[^:\n\r\\]|\\.){1,200})$/gm,
  // .netrc, on one line or several
  /\b(?:machine\s{1,8}[^\s]{1,200}|default)\s{1,40}login\s{1,8}[^\s]{1,100}\s{1,40}(?:account\s{1,8}\S{1,100}\s{1,40})?password\s{1,8}(?<value>\S{1,200})/g,
  // Postfix: [host]:port user:password
  /^\[[\w-]{1,60}\.[\w.-]{1,100}\](?::\d{1,5})?[ \t]{1,20}[^\s:]{1,100}:(?<value>\S{1,200})$/gm,
  // PPP: user server password addresses
  /^"?[\w.@*-]{1,60}"?[ \t]{1,20}\*[ \t]{1,20}"(?<value>[^"\n]{1,200})"[ \t]{1,20}(?:\*|[\d.]+)/gm,
  // OpenVPN, within a profile
  /<auth-user-pass>\r?\n[^\n<]{1,200}\n(?<value>[^\r\n<]{1,200})/g,
  // chpasswd, from a here-document
  /\bchpasswd\b[^\n]{0,60}<<-?\s?["']?\w{1,20}["']?\n[^:\n]{1,60}:(?<value>[^\n]{1,200})/g,
  // cloud-init: chpasswd: list: |
  /\bchpasswd:\r?\n(?:[ \t]{1,20}(?!list)[^\n]{0,80}\n){0,3}[ \t]{1,20}list:[ \t]\|\r?\n[ \t]{1,20}[^:\n]{1,60}:(?<value>[^\r\n]{1,200})/g,
  // HAProxy: stats auth user:password
  /\bstats[ \t]{1,4}auth[ \t]{1,4}[^\s:]{1,60}:(?<value>\S{1,200})/g,
  // SAS and presigned URLs
  /[?&](?:sig|X-Amz-Signature|X-Goog-Signature)=(?<value>[\w%+/=-]{16,400})/g,
];
const LINES_HINT =
  /:(?:\*|\d{4,5}):|\blogin\s|\bchpasswd\b|^\[|\*[ \t]{1,20}"|auth|[?&](?:sig|X-\w+-Signature)=/m;

/** `"auth": "…"` of Docker's config.json, and `_auth=` of npm: base64 of user:password. */
const AUTH =
  /(?:["']auth["']\s{0,4}:\s{0,4}["']|\b_auth\s{0,4}=\s{0,4}["']?)(?<value>[A-Za-z0-9+/]{6,400}={0,2})/g;

/** Passwords that are recognized by the format of the file. */
export function secretFiles(text: string): Span[] {
  const spans: Span[] = [];
  if (LINES_HINT.test(text)) {
    for (const pattern of LINES) {
      for (const match of text.matchAll(pattern)) spans.push(...valueSpan(text, match));
    }
  }
  for (const match of text.matchAll(AUTH)) {
    const decoded = Buffer.from(match.groups?.value ?? '', 'base64').toString('latin1');
    if (/^[\x20-\x7e]{1,200}:[\x20-\x7e]/.test(decoded)) spans.push(...valueSpan(text, match));
  }
  return spans;
}

function valueSpan(text: string, match: RegExpExecArray): Span[] {
  const value = match.groups?.value ?? '';
  const start = match.index + match[0].lastIndexOf(value);
  return secretAt(text, { start, end: start + value.length }, 'password');
}
