import { Lexer } from './lexer.ts';
import type { ParameterOperator, Part, Word } from './syntax-tree.ts';

/** The context of a word: a command, double quotes, a here-document, `$(( ))`, or `${ }`. */
type Context = 'plain' | 'double' | 'document' | 'arithmetic' | 'braced' | 'braced-double';

const ENDS_WORD = new Set([' ', '\t', '\n', '|', '&', ';', '<', '>', '(', ')']);

/** Reads words: quotes, escapes and expansions. */
export class WordReader {
  readonly #lexer: Lexer;

  constructor(lexer: Lexer) {
    this.#lexer = lexer;
  }

  /** A word of a command; it has at least one part. */
  word(): Word {
    return { parts: this.#parts('plain') };
  }

  /** Everything up to the end, as in double quotes, but with the double quote as an ordinary character. */
  document(): Word {
    return { parts: this.#parts('document') };
  }

  #parts(context: Context): Part[] {
    const lexer = this.#lexer;
    const { text } = lexer;
    const parts: Part[] = [];
    const inQuotes = context === 'double' || context === 'document' || context === 'arithmetic';
    const quoted = inQuotes || context === 'braced-double';
    const start = lexer.pos;
    let depth = 0;
    const add = (chars: string, isQuoted: boolean) => {
      const last = parts.at(-1);
      if (last?.type === 'text' && last.quoted === isQuoted) last.text += chars;
      else parts.push({ type: 'text', text: chars, quoted: isQuoted });
    };
    for (;;) {
      const char = text[lexer.pos];
      if (char === undefined) {
        if (context === 'plain') this.#refuseBash(parts, '', start);
        if (context === 'plain' || context === 'document') return parts;
        const missing =
          context === 'double'
            ? 'Unterminated quoted string'
            : context === 'arithmetic'
              ? "Missing '))'"
              : "Missing '}'";
        return lexer.fail(missing, start, true);
      }
      if (context === 'plain' && ENDS_WORD.has(char)) {
        this.#refuseBash(parts, char, start);
        return parts;
      }
      if ((context === 'braced' || context === 'braced-double') && char === '}') return parts;
      if (context === 'double' && char === '"') return parts;
      if (context === 'arithmetic') {
        if (char === '(') depth += 1;
        if (char === ')' && depth === 0) {
          if (text[lexer.pos + 1] === ')') return parts;
          if (lexer.pos + 1 >= text.length) lexer.fail("Missing '))'", start, true);
        }
        if (char === ')') depth -= 1;
      }
      if (char === '\\') {
        const next = text[lexer.pos + 1];
        lexer.pos += 2;
        if (next === undefined) {
          lexer.pos -= 1;
          add('\\', true);
        } else if (next === '\n') {
          // A continued line.
        } else if (!quoted) add(next, true);
        else if (next === '$' || next === '`' || next === '\\') add(next, true);
        else if (next === '"' && context !== 'document') add(next, true);
        else if (next === '}' && context === 'braced-double') add(next, true);
        else add(`\\${next}`, true);
        continue;
      }
      if (char === "'" && !quoted) {
        const end = text.indexOf("'", lexer.pos + 1);
        if (end < 0) lexer.fail('Unterminated quoted string', lexer.pos, true);
        add(text.slice(lexer.pos + 1, end), true);
        lexer.pos = end + 1;
        continue;
      }
      if (char === '"' && !inQuotes) {
        lexer.pos += 1;
        const inner = this.#parts('double');
        lexer.pos += 1;
        if (inner.length === 0) add('', true);
        for (const part of inner) {
          if (part.type === 'text') add(part.text, true);
          else parts.push(part);
        }
        continue;
      }
      if (char === '$') {
        const part = this.#dollar(quoted);
        if (part) parts.push(part);
        else {
          add('$', quoted);
          lexer.pos += 1;
        }
        continue;
      }
      if (char === '`') {
        parts.push(this.#backquoted(quoted));
        continue;
      }
      add(char, quoted);
      lexer.pos += 1;
    }
  }

  /** Syntax that bash would expand must not silently mean something else. */
  #refuseBash(parts: readonly Part[], end: string, start: number): void {
    const lexer = this.#lexer;
    const [first] = parts;
    if (end === '(' && first?.type === 'text' && !first.quoted && /^[A-Za-z_]\w*\+?=$/.test(first.text))
      lexer.unsupported('arrays', start);
    if (!lexer.options.bash) return;
    for (const part of parts) {
      if (part.type === 'text' && !part.quoted && /\{[^{}]*(,|\.\.)[^{}]*\}/.test(part.text))
        lexer.unsupported('brace expansion', start);
    }
  }

  /** An expansion that begins with `$`; undefined if it is an ordinary character. */
  #dollar(quoted: boolean): Part | undefined {
    const lexer = this.#lexer;
    const { text, pos } = lexer;
    const next = text[pos + 1] ?? '';
    if (text.startsWith('$((', pos)) {
      lexer.pos = pos + 3;
      const expression = { parts: this.#parts('arithmetic') };
      lexer.pos += 2;
      return { type: 'arithmetic', expression, quoted };
    }
    if (next === '(') {
      lexer.pos = pos + 2;
      return { type: 'command', body: lexer.substitution(), quoted };
    }
    if (next === '{') return this.#braced(quoted);
    const name = /^(?:[A-Za-z_]\w*|[0-9@*#?$!-])/.exec(text.slice(pos + 1, pos + 200))?.[0];
    if (name !== undefined) {
      const whole = /^[A-Za-z_]/.test(name) ? (/^\w+/.exec(text.slice(pos + 1))?.[0] ?? name) : name;
      lexer.pos = pos + 1 + whole.length;
      return { type: 'parameter', name: whole, quoted };
    }
    if (lexer.options.bash && !quoted && (next === "'" || next === '"')) lexer.unsupported(`$${next}`, pos);
    return undefined;
  }

  #braced(quoted: boolean): Part {
    const lexer = this.#lexer;
    const start = lexer.pos;
    lexer.pos += 2;
    const rest = lexer.text.slice(lexer.pos, lexer.pos + 300);
    const length = /^#(?=[A-Za-z_0-9@*#?$!-]+\})/.test(rest) && !/^#[#?-]?\}/.test(rest.slice(0, 2));
    const subject = length || /^##\}|^#\?\}|^#-\}/.test(rest) ? rest.slice(1) : rest;
    const counted = subject !== rest;
    // The next block of the script may complete it.
    if (!lexer.text.includes('}', lexer.pos)) lexer.fail("Missing '}'", start, true);
    const name = /^(?:[A-Za-z_]\w*|\d+|[@*#?$!-])/.exec(subject)?.[0];
    if (name === undefined) return this.#bad(start);
    lexer.pos += name.length + (counted ? 1 : 0);
    if (counted) {
      if (lexer.text[lexer.pos] !== '}') return this.#bad(start);
      lexer.pos += 1;
      return { type: 'parameter', name, quoted, length: true };
    }
    if (lexer.text[lexer.pos] === '}') {
      lexer.pos += 1;
      return { type: 'parameter', name, quoted };
    }
    const [sign, colon = '', operator] =
      /^(:?)(##|%%|[-=?+#%])/.exec(lexer.text.slice(lexer.pos, lexer.pos + 3)) ?? [];
    if (sign === undefined || operator === undefined || (colon !== '' && /[#%]/.test(operator))) {
      if (/^[/:^,[]/.test(lexer.text.slice(lexer.pos)))
        lexer.unsupported(`\${${name}${lexer.text[lexer.pos]}...}`, start);
      return this.#bad(start);
    }
    lexer.pos += sign.length;
    const isPattern = /[#%]/.test(operator);
    const parts = this.#parts(quoted && !isPattern ? 'braced-double' : 'braced');
    lexer.pos += 1;
    const known = OPERATORS.find((each) => each === operator) ?? '-';
    return { type: 'parameter', name, quoted, operator: known, colon: colon !== '', word: { parts } };
  }

  /** dash reports these when it executes them, not when it parses them. */
  #bad(start: number): Part {
    const lexer = this.#lexer;
    lexer.pos = start + 2;
    this.#parts('braced');
    lexer.pos += 1;
    return { type: 'parameter', name: '', quoted: false };
  }

  #backquoted(quoted: boolean): Part {
    const lexer = this.#lexer;
    const { text } = lexer;
    const start = lexer.pos;
    let inner = '';
    let at = start + 1;
    for (; ; at += 1) {
      const char = text[at];
      if (char === undefined) return lexer.fail('EOF in backquote substitution', start, true);
      if (char === '`') break;
      const next = text[at + 1];
      if (char === '\\' && (next === '`' || next === '\\' || next === '$' || (next === '"' && quoted))) {
        inner += next;
        at += 1;
      } else inner += char;
    }
    lexer.pos = at + 1;
    const { line } = lexer.positionOf(start);
    const nested = new Lexer(`${inner}\n)`, { ...lexer.options, firstLine: line });
    return { type: 'command', body: nested.substitution(), quoted };
  }
}

const OPERATORS: readonly ParameterOperator[] = ['-', '=', '?', '+', '#', '##', '%', '%%'];

/** The text of a here-document, from the position of the lexer to the line with the delimiter. */
export function readHereDocument(lexer: Lexer, delimiter: string, quoted: boolean, stripTabs: boolean): Word {
  const start = lexer.pos;
  let body = '';
  let ended = false;
  while (lexer.pos < lexer.text.length) {
    const end = lexer.text.indexOf('\n', lexer.pos);
    const stop = end < 0 ? lexer.text.length : end;
    const raw = lexer.text.slice(lexer.pos, stop);
    const line = stripTabs ? raw.replace(/^\t+/, '') : raw;
    lexer.pos = end < 0 ? stop : stop + 1;
    // A continued line cannot be the delimiter.
    if (line === delimiter && (quoted || !/(^|[^\\])(\\\\)*\\\n$/.test(body))) {
      ended = true;
      break;
    }
    body += end < 0 ? line : `${line}\n`;
  }
  if (!ended) lexer.endOfDocument(start);
  if (quoted) return { parts: [{ type: 'text', text: body, quoted: true }] };
  const { line } = lexer.positionOf(start);
  return new WordReader(new Lexer(body, { ...lexer.options, firstLine: line })).document();
}
