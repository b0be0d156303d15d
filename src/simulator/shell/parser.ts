import { CompoundParser } from './compound-parser.ts';
import { Lexer, type LexerOptions, type Token } from './lexer.ts';
import type { AndOr, Assignment, Command, List, Pipeline, Redirection, Word } from './syntax-tree.ts';
import { CLOSERS, KEYWORDS } from './token-reader.ts';

/** Creates a parser for a whole script. */
export function parserOf(text: string, options: Omit<LexerOptions, 'parseSubstitution'>): Parser {
  return new Parser(new Lexer(text, { ...options, parseSubstitution }));
}

function parseSubstitution(lexer: Lexer): List {
  const parser = new Parser(lexer);
  const body = parser.list();
  parser.expectOperator(')');
  return body;
}

/** Parses POSIX sh. @throws ShellSyntaxError */
export class Parser extends CompoundParser {
  /** The number of consumed characters. */
  get position(): number {
    return this.lexer.pos;
  }

  /** The commands of the next line, as a shell reads them; undefined at the end. */
  line(): List | undefined {
    while (this.peek().type === 'newline') this.lexer.next();
    if (this.peek().type === 'end') return undefined;
    const list: AndOr[] = [];
    for (;;) {
      list.push(this.#andOr());
      const separated = this.#separator();
      const next = this.peek();
      if (next.type === 'newline' || next.type === 'end') {
        if (next.type === 'end') this.lexer.endOfInput();
        this.lexer.next();
        return this.#marked(list);
      }
      if (!separated) this.unexpected(next);
    }
  }

  /** Commands up to a closing keyword or operator. */
  list(): List {
    const list: AndOr[] = [];
    for (;;) {
      while (this.peek().type === 'newline') this.lexer.next();
      if (this.#closes(this.peek())) return this.#marked(list);
      list.push(this.#andOr());
      const separated = this.#separator();
      if (!separated && this.peek().type !== 'newline') {
        if (this.#closes(this.peek())) return this.#marked(list);
        this.unexpected(this.peek());
      }
    }
  }

  readonly #background = new Set<AndOr>();

  #marked(list: readonly AndOr[]): List {
    return list.map((each) => (this.#background.has(each) ? { ...each, background: true } : each));
  }

  /** `;` or `&` after a command. */
  #separator(): boolean {
    const token = this.peek();
    if (token.type !== 'operator' || (token.text !== ';' && token.text !== '&')) return false;
    this.lexer.next();
    if (token.text === '&' && this.#last) this.#background.add(this.#last);
    return true;
  }

  #last: AndOr | undefined;

  #closes(token: Token): boolean {
    if (token.type === 'end') return true;
    if (token.type === 'operator') return token.text === ')' || token.text === ';;';
    return token.type === 'word' && token.literal !== undefined && CLOSERS.has(token.literal);
  }

  #andOr(): AndOr {
    const first = this.#pipeline();
    const rest: { operator: '&&' | '||'; pipeline: Pipeline }[] = [];
    for (;;) {
      const token = this.peek();
      if (token.type !== 'operator' || (token.text !== '&&' && token.text !== '||')) break;
      this.lexer.next();
      this.skipNewlines();
      rest.push({ operator: token.text, pipeline: this.#pipeline() });
    }
    const result = { first, rest, background: false };
    this.#last = result;
    return result;
  }

  #pipeline(): Pipeline {
    let negated = false;
    if (this.isWord('!')) {
      this.lexer.next();
      negated = true;
    }
    const commands = [this.#command()];
    for (;;) {
      const token = this.peek();
      if (token.type !== 'operator' || token.text !== '|') return { negated, commands };
      this.lexer.next();
      this.skipNewlines();
      commands.push(this.#command());
    }
  }

  #command(): Command {
    const token = this.peek();
    const { line } = this.lexer.positionOf(token.start);
    if (token.type === 'operator' && token.text === '(') {
      this.lexer.next();
      const body = this.body();
      this.expectOperator(')');
      return { type: 'subshell', body, line, redirections: this.redirections() };
    }
    if (token.type === 'word') {
      const compound = this.#compound(token.literal, line, token);
      if (compound) return compound;
    } else if (token.type !== 'fd' && !(token.type === 'operator' && this.isRedirection(token.text))) {
      this.unexpected(token);
    }
    return this.#simple(line);
  }

  #compound(literal: string | undefined, line: number, token: Token): Command | undefined {
    const finish = <T>(node: T) => ({ ...node, line, redirections: this.redirections() });
    switch (literal) {
      case '{': {
        this.lexer.next();
        const body = this.body();
        this.expectWord('}');
        return finish({ type: 'group' as const, body });
      }
      case 'if':
        return finish(this.ifCommand());
      case 'while':
      case 'until': {
        this.lexer.next();
        const condition = this.body();
        return finish({
          type: 'loop' as const,
          until: literal === 'until',
          condition,
          body: this.doGroup(),
        });
      }
      case 'for':
        return finish(this.forCommand());
      case 'case':
        return finish(this.caseCommand());
      case '[[':
        return this.lexer.unsupported('[[ ]]', token.start);
      case 'function':
      case 'select':
      case 'coproc':
        return this.lexer.options.bash ? this.lexer.unsupported(literal, token.start) : undefined;
      default:
        if (literal !== undefined && KEYWORDS.has(literal) && literal !== 'in') this.unexpected(token);
        return undefined;
    }
  }

  #simple(line: number): Command {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      const token = this.peek();
      if (token.type === 'word') {
        const assignment = words.length === 0 ? assignmentOf(token.word) : undefined;
        this.lexer.next();
        if (assignment) assignments.push(assignment);
        else words.push(token.word);
        const next = this.peek();
        const isFirst = words.length === 1 && assignments.length === 0 && redirections.length === 0;
        if (next.type === 'operator' && next.text === '(') {
          if (!isFirst || assignment) this.unexpected(next);
          return this.#function(token, line);
        }
        continue;
      }
      const redirection = this.redirection();
      if (!redirection) break;
      redirections.push(redirection);
    }
    return { type: 'simple', assignments, words, redirections, line };
  }

  #function(name: Token & { type: 'word' }, line: number): Command {
    this.lexer.next();
    this.expectOperator(')');
    if (name.literal === undefined || !/^[A-Za-z_][\w-]*$/.test(name.literal))
      this.lexer.fail('Bad function name', name.start);
    this.skipNewlines();
    return { type: 'function', name: name.literal ?? '', body: this.#command(), line, redirections: [] };
  }
}

/** `NAME=value` with an unquoted name. */
function assignmentOf(word: Word): Assignment | undefined {
  const [first, ...rest] = word.parts;
  if (first?.type !== 'text' || first.quoted) return undefined;
  const [whole, name] = /^([A-Za-z_]\w*)=/.exec(first.text) ?? [];
  if (whole === undefined || name === undefined) return undefined;
  const text = first.text.slice(whole.length);
  return { name, value: { parts: text === '' ? rest : [{ ...first, text }, ...rest] } };
}
