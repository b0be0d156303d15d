import type { Span } from './spans.ts';

const KIND = 'private key';

/** PEM, OpenSSH, PGP, OpenVPN (five dashes) and SSH2 (four); PuTTY's files count the lines of the key. */
const MARKER =
  /-{4,5} ?(BEGIN|END) (?:[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?|OpenVPN (?:Static key|tls-crypt-v2 (?:client|server) key)(?: V\d)?) ?-{4,5}|Private-Lines: (\d{1,4})\b/g;
/** Maximum length of a key. A key of 16384 bits has 13,000 characters; markers further apart belong to different keys. */
const MAX_KEY = 65_536;
/** Maximum line length. PEM has 64 characters per line, OpenSSH 70, plus a prefix of grep, diff or e-mail. */
const MAX_LINE = 400;
const HEADER = /^(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|Subject|x-\w+):/;
const BODY =
  /^(?:\S{0,200}[:-][ \t]{0,4})?[^A-Za-z0-9+/=\s]{0,4}[ \t]{0,40}([A-Za-z0-9+/]{1,200}={0,2})["'$,;\\nr]{0,6}$/;
const FULL_LINE = 16;
/** The text after a marker on the same line, if newlines are written as \n, as in JSON. */
const SAME_LINE = /(?:[A-Za-z0-9+/=]|\\{1,4}[nr])*/y;

interface Marker {
  readonly what: 'BEGIN' | 'END' | 'PuTTY';
  readonly start: number;
  readonly end: number;
  readonly lines: number;
}

/**
 * Private keys, complete or truncated: from the first line to the last. If one of them is missing, the key extends as far as
 * the lines look like lines of a key.
 */
export function privateKeys(text: string): Span[] {
  const markers = [...text.matchAll(MARKER)].map(
    (match): Marker => ({
      what: match[1] === 'BEGIN' || match[1] === 'END' ? match[1] : 'PuTTY',
      start: match.index,
      end: match.index + match[0].length,
      lines: Number(match[2] ?? 0),
    }),
  );
  const spans: Span[] = [];
  let lastEnd = 0;
  markers.forEach((marker, index) => {
    if (marker.start < lastEnd) return;
    const next = markers[index + 1];
    const start = marker.what === 'END' ? bodyBefore(text, marker.start, lastEnd) : marker.start;
    let end = marker.end;
    if (marker.what === 'PuTTY') end = linesAfter(text, marker.end, marker.lines);
    else if (marker.what === 'BEGIN') {
      const whole = next?.what === 'END' && next.end - marker.start <= MAX_KEY;
      end = whole ? next.end : bodyAfter(text, marker.end);
    }
    spans.push({ start, end, kind: KIND });
    lastEnd = end;
  });
  return spans;
}

function bodyAfter(text: string, from: number): number {
  SAME_LINE.lastIndex = from;
  let end = from + (SAME_LINE.exec(text)?.[0].length ?? 0);
  // The rest of the marker's line may be a quote or a prompt.
  let at = text.indexOf('\n', end);
  if (at < 0 || at - end > MAX_LINE) return end;
  for (;;) {
    const until = lineEnd(text, at + 1);
    const line = text.slice(at + 1, Math.min(until, at + 2 + MAX_LINE)).trim();
    const kind = kindOf(line);
    if (kind === 'other') return end;
    if (kind !== 'blank') end = until;
    if (kind === 'short' || until >= text.length) return end;
    at = until;
  }
}

function bodyBefore(text: string, from: number, notBefore: number): number {
  let start = text.lastIndexOf('\n', from - 1) + 1;
  if (start < notBefore) return from;
  // The text before the marker on its line, if the newlines of the key are written as \n.
  start = /^[\s"'>|+-]*$/.test(text.slice(start, Math.min(from, start + MAX_LINE)))
    ? start
    : sameLineBefore(text, from, start);
  while (start > notBefore && text[start - 1] === '\n') {
    const previous = Math.max(text.lastIndexOf('\n', start - 2) + 1, notBefore);
    if (start - previous > MAX_LINE) return start;
    const kind = kindOf(text.slice(previous, start).trim());
    if (kind !== 'full' && kind !== 'short' && kind !== 'header') return start;
    start = previous;
  }
  return start;
}

function sameLineBefore(text: string, from: number, lineStart: number): number {
  let start = from;
  while (start > lineStart && /[A-Za-z0-9+/=\\]/.test(text[start - 1] ?? '')) start--;
  return start;
}

function linesAfter(text: string, from: number, count: number): number {
  let end = lineEnd(text, from);
  for (let line = 0; line < count && end < text.length; line++) end = lineEnd(text, end + 1);
  return end;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function kindOf(line: string): 'full' | 'short' | 'header' | 'blank' | 'other' {
  if (line.length === 0) return 'blank';
  if (line.length > MAX_LINE) return 'other';
  if (HEADER.test(line)) return 'header';
  const body = BODY.exec(line)?.[1];
  if (body === undefined) return 'other';
  return body.length >= FULL_LINE ? 'full' : 'short';
}
