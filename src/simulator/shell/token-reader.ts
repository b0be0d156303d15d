import type { Lexer, Token } from './lexer.ts';
import type { Redirection, RedirectionOperator } from './syntax-tree.ts';

/** Keywords that end a list. */
export const CLOSERS = new Set('} do done elif else esac fi then'.split(' '));
export const KEYWORDS = new Set([...CLOSERS, ...'! { case for if in until while'.split(' ')]);
const REDIRECTIONS: readonly RedirectionOperator[] = ['<', '>', '>>', '>|', '<>', '<&', '>&'];

/** Reads the common elements of commands: keywords, operators and redirections. @throws ShellSyntaxError */
export class TokenReader {
  protected readonly lexer: Lexer;

  constructor(lexer: Lexer) {
    this.lexer = lexer;
  }

  expectOperator(text: string): void {
    const token = this.lexer.next();
    if (token.type !== 'operator' || token.text !== text) this.unexpected(token, text);
  }

  protected peek(): Token {
    return this.lexer.peek();
  }

  protected redirections(): Redirection[] {
    const found: Redirection[] = [];
    for (let each = this.redirection(); each; each = this.redirection()) found.push(each);
    return found;
  }

  protected isRedirection(text: string): boolean {
    return text === '<<' || text === '<<-' || REDIRECTIONS.some((each) => each === text);
  }

  protected redirection(): Redirection | undefined {
    let token = this.peek();
    let fd: number | undefined;
    if (token.type === 'fd') {
      fd = token.fd;
      this.lexer.next();
      token = this.peek();
    }
    if (token.type !== 'operator' || !this.isRedirection(token.text)) return undefined;
    this.lexer.next();
    const target = this.lexer.next();
    if (target.type !== 'word') return this.unexpected(target, target.type === 'fd' ? undefined : 'word');
    const { text } = token;
    const operator = REDIRECTIONS.find((each) => each === text) ?? '<<';
    const redirection: Redirection = {
      operator,
      fd: fd ?? (operator.startsWith('<') ? 0 : 1),
      target: target.word,
    };
    if (operator !== '<<') return redirection;
    const quoted = target.word.parts.some((part) => part.type !== 'text' || part.quoted);
    const delimiter = target.word.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
    this.lexer.addHereDocument(redirection, delimiter, quoted, text === '<<-');
    return redirection;
  }

  protected skipNewlines(): void {
    while (this.peek().type === 'newline') this.lexer.next();
  }

  protected isWord(text: string): boolean {
    const token = this.peek();
    return token.type === 'word' && token.literal === text;
  }

  protected expectWord(text: string): void {
    if (!this.isWord(text)) this.unexpected(this.peek(), text);
    this.lexer.next();
  }

  protected unexpected(token: Token, expected?: string): never {
    const what =
      token.type === 'end'
        ? 'end of file'
        : token.type === 'newline'
          ? 'newline'
          : token.type === 'operator'
            ? this.isRedirection(token.text)
              ? 'redirection'
              : `"${token.text}"`
            : token.type === 'word' && token.literal !== undefined && KEYWORDS.has(token.literal)
              ? `"${token.literal}"`
              : 'word';
    const wanted =
      expected === undefined ? '' : ` (expecting ${expected === 'word' ? 'word' : `"${expected}"`})`;
    return this.lexer.fail(`${what} unexpected${wanted}`, token.start, token.type === 'end');
  }
}
