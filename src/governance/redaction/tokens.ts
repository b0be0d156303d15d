import { lazy } from '../../lib/lazy.ts';
import type { Span } from './spans.ts';

/**
 * A kind of token. `start` matches its beginning. Texts are first searched for all beginnings at once, so every match of a rule
 * begins with its `start`.
 */
interface Rule {
  readonly kind: string;
  readonly start: string;
  readonly rest: string;
  /** Characters that must not precede the token (default: letters and digits). */
  readonly notAfter?: string;
  /** Keep the beginning, and the text between it and the rest, because they name the owner of the token. */
  readonly keep?: true;
  readonly between?: string;
}

const B64 = '[A-Za-z0-9+/]';
const UUID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';

/** Proxmox tokens, and tokens that secretlint's rules do not include. Each rule takes linear time. */
const RULES: readonly Rule[] = [
  // Proxmox VE, Backup Server, Mail Gateway: API tokens (user@realm!name=uuid) and tickets.
  { kind: 'token', start: '![A-Za-z][A-Za-z0-9._-]{0,63}[=:]', rest: UUID, notAfter: '[\\s!]', keep: true },
  {
    kind: 'token',
    start: '(?:PVE|PBS|PMG):',
    rest: `[^\\s:"'@]{1,64}@[^\\s:"']{1,64}:[0-9A-F]{8}::${B64}{20,}={0,2}`,
  },
  {
    kind: 'token',
    start: 'full-tokenid',
    between: '[^\\n]{0,200}(?:\\n[^\\n]{0,200}){0,12}?\\bvalue\\b[^\\n0-9a-f]{1,40}',
    rest: UUID,
    keep: true,
  },
  {
    kind: 'token',
    start: 'eyJ',
    rest: '[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]*)?',
    notAfter: '[A-Za-z0-9_-]',
  },
  { kind: 'token', start: '[sr]k_(?:live|test)_', rest: '[A-Za-z0-9]{16,}' },
  { kind: 'token', start: 'whsec_', rest: `${B64}{24,}=*` },
  { kind: 'token', start: 'AIza', rest: '[A-Za-z0-9_-]{35}' },
  { kind: 'token', start: 'ya29\\.', rest: '[A-Za-z0-9_-]{20,}' },
  { kind: 'token', start: 'GOCSPX-', rest: '[A-Za-z0-9_-]{28}' },
  { kind: 'token', start: 'sk-(?:ant|proj|svcacct|admin|or)-', rest: '[A-Za-z0-9_-]{20,}' },
  { kind: 'token', start: 'gl(?:dt|rt|ptt|cbt|agent|oas|soat|ft|imt|ffct)-', rest: '[A-Za-z0-9_.-]{20,}' },
  { kind: 'token', start: 'pypi-AgE', rest: '[A-Za-z0-9_-]{50,}' },
  { kind: 'token', start: 'do[opr]_v1_', rest: '[a-f0-9]{64}' },
  { kind: 'token', start: 'tskey-', rest: '[a-z]{3,8}-[A-Za-z0-9-]{10,}' },
  { kind: 'token', start: ':AA', rest: '[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])', notAfter: '\\D' },
  // Keys without the lines around them: age, WireGuard, OpenSSH, and PEM within base64 as in Kubernetes.
  { kind: 'private key', start: 'AGE-SECRET-KEY-1', rest: '[A-Z0-9]{58}' },
  { kind: 'private key', start: '(?:PrivateKey|PresharedKey) ?= ?', rest: `${B64}{43}=`, keep: true },
  {
    kind: 'private key',
    start: 'b3BlbnNzaC1rZXktdjE',
    rest: `${B64}*(?:\\r?\\n${B64}{70})*(?:\\r?\\n${B64}{1,69}={0,2}(?=\\r?\\n|$))?`,
  },
  {
    kind: 'private key',
    start: 'LS0tLS1CRUdJTiB',
    rest: `(?:QUklWQVRF|SU0EgUFJJVkFUR|PUEVOU1NIIFBSSVZBVE|FQyBQUklWQVRF|FTkNSWVBURUQgUFJJVkFUR)${B64}*={0,2}(?:\\r?\\n${B64}{76})*(?:\\r?\\n${B64}{1,75}={0,2}(?=\\r?\\n|$))?`,
  },
  {
    kind: 'password hash',
    start: '\\$(?:y|gy|7|1|apr1|2[abxy]?|5|6|argon2(?:id?|d)|scrypt)\\$',
    rest: '[A-Za-z0-9./,=$+-]{20,300}',
  },
  {
    kind: 'password hash',
    start: '(?:pbkdf2_sha\\d{1,3}\\$|SCRAM-SHA-256\\$)',
    rest: '\\d{3,8}[$:][A-Za-z0-9+/=:$]{20,300}',
  },
  {
    kind: 'password hash',
    start: '\\{(?:S?SHA|SHA256|SSHA256|SSHA512|CRYPT|MD5|SMD5)\\}',
    rest: '[A-Za-z0-9./+=$]{16,200}',
  },
];

/** The beginnings of the tokens of secretlint's rules; see vendor-rules.ts. A test checks that the two match. */
const VENDOR =
  '(?:gh[pousr]_|github_pat_|glpat-|gl(?:c|sa)_|xox[bpaor]-|xapp-|hooks\\.slack\\.com/services/|sk-|gsk_|hf_|lin_api_|ntn_|SG\\.|shp(?:pa|ca|at|ss)_|npm_|_authToken=|ops_ey|hv[sbr]\\.|vc[piark]_|dapi|dckr_pat_|figd_|A3T|AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA)';
const VENDOR_TOKEN = '[A-Za-z0-9_./+=-]{16,}';

const anyStart = lazy(() => new RegExp([...RULES.map(({ start }) => start), VENDOR].join('|')));
const oneCandidate = lazy(() => new RegExp(`${VENDOR}${VENDOR_TOKEN}`));
const allCandidates = lazy(() => new RegExp(`(?<!\\p{L})${VENDOR}[A-Za-z0-9_./+=-]{16,}`, 'gu'));
const rules = lazy(() =>
  RULES.map(({ kind, start, rest, notAfter = '[A-Za-z0-9]', keep, between = '' }) => ({
    kind,
    pattern: new RegExp(`(?<!${notAfter})(?<start>(?:${start})${between})${rest}`, 'g'),
    keep: keep === true,
  })),
);

let last = { text: '', begins: false };

/** Whether a text contains any beginning. Cached, because each text is checked twice: before and after the rules are loaded. */
function begins(text: string): boolean {
  if (last.text !== text) last = { text, begins: anyStart().test(text) };
  return last.begins;
}

/** Tokens and keys that are recognized by their beginning. */
export function tokens(text: string): Span[] {
  if (!begins(text)) return [];
  return rules().flatMap(({ kind, pattern, keep }) =>
    [...text.matchAll(pattern)].map((match) => ({
      start: match.index + (keep ? (match.groups?.start ?? '').length : 0),
      end: match.index + match[0].length,
      kind,
    })),
  );
}

/** Whether secretlint's rules could find anything. Otherwise they are neither loaded nor run. */
export function mayHaveVendorToken(text: string): boolean {
  return begins(text) && oneCandidate().test(text);
}

/** All text that begins like a vendor's token and is long enough. Finds too much, for callers that cannot wait for the rules. */
export function vendorCandidates(text: string): Span[] {
  return [...text.matchAll(allCandidates())].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    kind: 'token',
  }));
}
