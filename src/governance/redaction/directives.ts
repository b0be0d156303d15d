import { ASSIGNMENT_HINT } from './assignments.ts';
import type { Span } from './spans.ts';
import { secretAt, UNQUOTED_END, valueAt } from './value-spans.ts';

/** SQL and directives that join name and value by a space. */
const QUOTED_AFTER_SPACE =
  /\b(?:(?:encrypted\s|unencrypted\s)?password(?:\s{1,2}|\s{0,2}\()|identified\s{1,3}(?:with\s{1,3}["'\w]{1,60}\s{1,3})?(?:by|as)(?:\s{1,3}password)?\s)\s{0,3}E?(?=')|\bidentified\s{1,3}by\s{1,3}(?="\S)|(?:^|[\s{;])(?:secret|password|PSK|XAUTH|EAP)\s{1,4}(?=")/gim;
const DIRECTIVE =
  /\b(?:requirepass|masterauth|bindpw|rootpw|insecure-password|enable[ \t]secret|enable[ \t]password|snmp-server[ \t]community|r[ow]community6?|wpa-psk|wpa-passphrase|neighbor[ \t]{1,4}\S{1,60}[ \t]{1,4}password)[ \t]{1,8}(?=[^\s=:])|^[ \t]{0,40}(?:SetEnv|setenv|ENV|env)[ \t]{1,4}\w{0,60}(?:password|passwd|_pass|_pwd|secret|token|api_key)[ \t]{1,4}(?=[^\s=])|^[ \t]{0,40}(?:set[ \t]{1,4})?(?:password|passwd|passphrase|secret|psk|\w{1,40}_password)[ \t]{1,8}(?=[^\s"'=:|-]{6,200};?[ \t]{0,8}$)/gim;

/** Messages of installers: `A temporary password is generated for root@localhost: …`. */
const INSTALLER_MESSAGE =
  /\b(?:temporary|generated|initial|default|root|admin\w{0,10}|new|your|the|[\w-]{1,20}'s)\s{1,3}(?:\w{1,20}\s{1,3})?(?:password|passphrase)(?:\s{1,3}(?:is|was|for|has|of)\b[^\n:]{0,60})?(?::|\bis)\s{1,4}(?=\S{6,100}\.?\s{0,4}$)|\bpassword\s(?:for|of)\s[^\n:]{1,60}:[ \t]{1,4}(?=\S{6,100}$)/gim;
/** Values after the name of a secret and a space: directives of config files, SQL, and messages of installers. */
export function directives(text: string): Span[] {
  if (!ASSIGNMENT_HINT.test(text)) return [];
  const spans: Span[] = [];
  for (const match of text.matchAll(QUOTED_AFTER_SPACE)) spans.push(...quotedAfter(text, endOf(match)));
  for (const match of text.matchAll(INSTALLER_MESSAGE)) spans.push(...toldAt(text, endOf(match)));
  for (const match of text.matchAll(DIRECTIVE)) spans.push(...directiveAt(text, match));
  return spans;
}

function quotedAfter(text: string, at: number): Span[] {
  const value = valueAt(text, at, UNQUOTED_END);
  return text[value.end] === '\n' ? [] : secretAt(text, value, 'password');
}

function toldAt(text: string, at: number): Span[] {
  const value = valueAt(text, at, /\s/);
  // "Your password is incorrect" has no digit.
  return /\d/.test(text.slice(value.start, value.end)) ? secretAt(text, value, 'password') : [];
}

function directiveAt(text: string, match: RegExpExecArray): Span[] {
  const value = valueAt(text, endOf(match), /[\s;]/);
  const shown = text.slice(value.start, value.end);
  const isGeneric = /^\s*(?:set\s+)?(?:password|passwd|passphrase|secret|psk|\w+_password)\s/i.test(match[0]);
  // "password expired" is a message.
  if (isGeneric && !/\d/.test(shown)) return [];
  return secretAt(text, value, 'password');
}

function endOf(match: RegExpExecArray): number {
  return match.index + match[0].length;
}
