import { ShellSyntaxError, UnsupportedSyntax } from './syntax-error.ts';
import type { List, Redirection, Word } from './syntax-tree.ts';
import { readHereDocument, WordReader } from './word-reader.ts';

export type Token =
  | {
      readonly type: 'word';
      readonly word: Word;
      readonly literal: string | undefined;
      readonly start: number;
    }
  | { readonly type: 'operator'; readonly text: string; readonly start: number }
  | { readonly type: 'newline'; readonly start: number }
  | { readonly type: 'fd'; readonly fd: number; readonly start: number }
  | { readonly type: 'end'; readonly start: number };

const OPERATORS = [
  '<<-',
  '&&',
  '||',
  ';;',
  '<<',
  '>>',
  '<&',
  '>&',
  '<>',
  '>|',
  '&',
  '|',
  ';',
  '<',
  '>',
  '(',
  ')',
];

export interface LexerOptions {
  /** Reports bash syntax as unsupported, instead of giving it its meaning in POSIX. */
  readonly bash: boolean;
  /** The number of the first line. */
  readonly firstLine?: number;
  /** The text may be incomplete. */
  readonly partial?: boolean;
  /** Parses `$( … )`. */
  readonly parseSubstitution: (lexer: Lexer) => List;
}

/** Splits a script into tokens. */
export class Lexer {
  readonly text: string;
  readonly options: LexerOptions;
  pos = 0;
  #peeked: Token | undefined;
  /** The last requested line and its start: most requests are for a later one. */
  #line = 0;
  #lineStart = 0;
  /** Here-documents whose text begins on the next line. */
  #pending: { redirection: Redirection; delimiter: string; quoted: boolean; stripTabs: boolean }[] = [];

  constructor(text: string, options: LexerOptions) {
    this.text = text;
    this.options = options;
  }

  positionOf(offset: number): { line: number; column: number } {
    if (offset < this.#lineStart) {
      this.#lineStart = 0;
      this.#line = 0;
    }
    for (let at = this.text.indexOf('\n', this.#lineStart); at >= 0 && at < offset; ) {
      this.#line += 1;
      this.#lineStart = at + 1;
      at = this.text.indexOf('\n', at + 1);
    }
    return { line: (this.options.firstLine ?? 1) + this.#line, column: offset - this.#lineStart + 1 };
  }

  fail(message: string, offset = this.pos, incomplete = false): never {
    throw new ShellSyntaxError(message, this.positionOf(incomplete ? this.text.length : offset), incomplete);
  }

  unsupported(what: string, offset: number): never {
    throw new UnsupportedSyntax(what, this.positionOf(offset));
  }

  peek(): Token {
    this.#peeked ??= this.#read();
    return this.#peeked;
  }

  next(): Token {
    const token = this.peek();
    this.#peeked = undefined;
    return token;
  }

  /** Parses `$( … )` after its opening. Here-documents outside of it must wait. */
  substitution(): List {
    const pending = this.#pending;
    this.#pending = [];
    const body = this.options.parseSubstitution(this);
    this.#pending = pending;
    return body;
  }

  addHereDocument(redirection: Redirection, delimiter: string, quoted: boolean, stripTabs: boolean): void {
    this.#pending.push({ redirection, delimiter, quoted, stripTabs });
  }

  #read(): Token {
    this.#skipBlanks();
    const start = this.pos;
    const char = this.text[start];
    if (char === undefined) return { type: 'end', start };
    if (char === '\n') {
      this.pos += 1;
      this.#readHereDocuments();
      return { type: 'newline', start };
    }
    const operator = OPERATORS.find((each) => this.text.startsWith(each, start));
    if (operator !== undefined) {
      const behind = this.text[start + operator.length];
      if ((operator === '<' || operator === '>') && behind === '(')
        this.unsupported(`process substitution ${operator}( )`, start);
      if (operator === '<<' && behind === '<') this.unsupported('here-strings <<<', start);
      if (this.options.bash && operator === '&' && behind === '>') this.unsupported('&>', start);
      if (this.options.bash && operator === '|' && behind === '&') this.unsupported('|&', start);
      this.pos += operator.length;
      return { type: 'operator', text: operator, start };
    }
    const digits = /^\d+(?=[<>])/.exec(this.text.slice(start, start + 12))?.[0];
    if (digits?.length === 1) {
      this.pos += digits.length;
      return { type: 'fd', fd: Number(digits), start };
    }
    const word = new WordReader(this).word();
    const [first] = word.parts;
    const only = word.parts.length === 1 && first?.type === 'text' && !first.quoted ? first.text : undefined;
    return { type: 'word', word, literal: only, start };
  }

  #skipBlanks(): void {
    for (;;) {
      const char = this.text[this.pos];
      if (char === ' ' || char === '\t') this.pos += 1;
      else if (char === '\\' && this.text[this.pos + 1] === '\n') this.pos += 2;
      else if (char === '#') {
        const end = this.text.indexOf('\n', this.pos);
        this.pos = end < 0 ? this.text.length : end;
      } else return;
    }
  }

  #readHereDocuments(): void {
    for (const { redirection, delimiter, quoted, stripTabs } of this.#pending.splice(0)) {
      redirection.target = readHereDocument(this, delimiter, quoted, stripTabs);
    }
  }

  /**
   * dash accepts the end of the script as the end of a here-document. If the text may be incomplete, more input is required.
   */
  endOfDocument(start: number): void {
    if (this.options.partial === true) this.fail('end of file in here-document', start, true);
  }

  /** The text ends inside a line. If the text may be incomplete, more input is required. */
  endOfInput(): void {
    if (this.options.partial === true) this.fail('end of file unexpected', this.pos, true);
    this.#readHereDocuments();
  }
}
