import type { ParameterPart } from './syntax-tree.ts';

/** In a pattern, a backslash makes the next character literal. */

/** Escapes text so that it matches only itself. */
export function escapePattern(text: string): string {
  return text.replaceAll(/[\\*?[\]!^-]/g, '\\$&');
}

export function hasPattern(pattern: string): boolean {
  return /(?<!\\)(?:\\\\)*[*?[]/.test(pattern);
}

const CLASSES: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '!-\\/:-@\\[-`{-~',
  space: ' \\t\\n\\v\\f\\r',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};

const cache = new Map<string, RegExp>();

/** The regular expression source for a shell pattern. With `pathname`, wildcards do not match a slash. */
export function patternSource(pattern: string, greedy = true, pathname = false): string {
  let source = '';
  const any = pathname ? '[^/]' : '[\\s\\S]';
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? '';
    if (char === '*') {
      while (pattern[at + 1] === '*') at += 1;
      source += `${any}*${greedy ? '' : '?'}`;
    } else if (char === '?') source += any;
    else if (char === '\\' && at + 1 < pattern.length) {
      at += 1;
      source += literal(pattern[at] ?? '');
    } else if (char === '[') {
      const set = bracket(pattern, at);
      if (set) {
        source += set.source;
        at = set.end;
      } else source += '\\[';
    } else source += literal(char);
  }
  return source;
}

/** `[…]` as a set of a regular expression; undefined if it is not closed. */
export function bracket(pattern: string, start: number): { source: string; end: number } | undefined {
  let at = start + 1;
  let source = '[';
  if (pattern[at] === '!' || pattern[at] === '^') {
    source += '^';
    at += 1;
  }
  for (let first = true; ; first = false) {
    const char = pattern[at];
    if (char === undefined) return undefined;
    if (char === ']' && !first) break;
    const named = /^\[:(\w+):\]/.exec(pattern.slice(at, at + 12));
    if (named) {
      source += CLASSES[named[1] ?? ''] ?? '';
      at += named[0].length;
      continue;
    }
    if (char === '\\' && at + 1 < pattern.length) {
      source += setLiteral(pattern[at + 1] ?? '');
      at += 2;
      continue;
    }
    source += char === '-' ? '-' : setLiteral(char);
    at += 1;
  }
  if (source === '[') return { source: '(?!)', end: at };
  return { source: `${source}]`, end: at };
}

function literal(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

function setLiteral(char: string): string {
  return /[\\\]^[-]/.test(char) ? `\\${char}` : char;
}

/** @param kind distinguishes expressions that are compiled from the same pattern */
function compiled(kind: string, pattern: string, source: () => string): RegExp {
  const key = kind + pattern;
  let found = cache.get(key);
  if (!found) {
    try {
      found = new RegExp(source());
    } catch {
      // A range such as [z-a] matches nothing.
      found = /(?!)/;
    }
    if (cache.size > 500) cache.clear();
    cache.set(key, found);
  }
  return found;
}

export function matches(pattern: string, text: string): boolean {
  if (!pattern.includes('[')) return matchesPlain(pattern, text);
  return compiled('=', pattern, () => `^${patternSource(pattern)}$`).test(text);
}

/** Matches a pattern without brackets directly, because most patterns are used only once. */
function matchesPlain(pattern: string, text: string): boolean {
  let [at, position, star, mark] = [0, 0, -1, 0];
  while (position < text.length) {
    const char = pattern[at];
    if (char === '*') {
      star = at;
      mark = position;
      at += 1;
      continue;
    }
    const escaped = char === '\\' && at + 1 < pattern.length;
    const wanted = escaped ? pattern[at + 1] : char;
    if (wanted !== undefined && ((!escaped && wanted === '?') || wanted === text[position])) {
      at += escaped ? 2 : 1;
      position += 1;
    } else if (star >= 0) {
      at = star + 1;
      mark += 1;
      position = mark;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

/** Whether a file name matches. A leading dot is matched only by a dot. */
export function matchesName(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !/^\\?\./.test(pattern)) return false;
  return compiled('/', pattern, () => `^${patternSource(pattern, true, true)}$`).test(name);
}

/** `${x#pattern}` and similar operators. */
export function trim(text: string, pattern: string, operator: '#' | '##' | '%' | '%%'): string {
  if (operator === '#' || operator === '##') {
    const hit = compiled(operator, pattern, () => `^(?:${patternSource(pattern, operator === '##')})`).exec(
      text,
    );
    return hit ? text.slice(hit[0].length) : text;
  }
  const expression = compiled('=', pattern, () => `^${patternSource(pattern)}$`);
  const lengths = Array.from({ length: text.length + 1 }, (_, index) => index);
  for (const at of operator === '%' ? lengths.reverse() : lengths) {
    if (expression.test(text.slice(at))) return text.slice(0, at);
  }
  return text;
}

/** The end at which a `#` or `%` expansion trims. */
export function trimOperator(operator: NonNullable<ParameterPart['operator']>): '#' | '##' | '%' | '%%' {
  return operator === '##' || operator === '%' || operator === '%%' ? operator : '#';
}
