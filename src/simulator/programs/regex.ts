import { bracket } from '../shell/pattern.ts';

/**
 * Converts a POSIX regular expression to JavaScript. In basic ones, ( ) { } + ? | are special only after a backslash.
 */
export function regexSource(pattern: string, extended: boolean): string {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? '';
    if (char === '[') {
      const set = bracketAt(pattern, at);
      if (set) {
        source += set.source;
        at = set.end;
        continue;
      }
      source += '\\[';
      continue;
    }
    if (char === '\\') {
      at += 1;
      const next = pattern[at] ?? '';
      if (/[(){}+?|]/.test(next)) source += extended ? `\\${next}` : next;
      else if (next === '<') source += '\\b(?=\\w)';
      else if (next === '>') source += '\\b(?<=\\w)';
      else if (/[1-9wWsSbBdDnt.*^$[\]/\\-]/.test(next)) source += next === '-' ? '-' : `\\${next}`;
      else source += /[\w"'&,:;=@!%~`#<> ]/.test(next) ? next : `\\${next}`;
      continue;
    }
    if (!extended && /[(){}+?|]/.test(char)) source += `\\${char}`;
    else if (char === '*' && (source === '' || /(^|[^\\])\($/.test(source))) source += '\\*';
    else if (!extended && char === '^' && source !== '' && !/(\(|\|)$/.test(source)) source += '\\^';
    else if (!extended && char === '$' && at < pattern.length - 1 && !/^\\[)|]/.test(pattern.slice(at + 1)))
      source += '\\$';
    else if (extended && char === '{' && !/^\{\d+(,\d*)?\}/.test(pattern.slice(at))) source += '\\{';
    else source += char === '/' ? '\\/' : char;
  }
  return source;
}

/** Inside brackets, a backslash is an ordinary character. */
function bracketAt(pattern: string, start: number): { source: string; end: number } | undefined {
  const doubled = pattern.slice(start).replaceAll('\\', '\\\\');
  const set = bracket(doubled, 0);
  if (!set) return undefined;
  const consumed = doubled.slice(0, set.end + 1).replaceAll('\\\\', '\\').length;
  return { source: set.source.replace(/^\[\^?!/, (head) => head), end: start + consumed - 1 };
}
