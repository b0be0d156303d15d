import { Lexer, type LexerOptions, type Token } from './lexer.ts';
import type {
  AndOr,
  Assignment,
  Command,
  List,
  Pipeline,
  Redirection,
  RedirectionOperator,
  Word,
} from './syntax-tree.ts';

/** These end a list. */
const CLOSERS = new Set('} do done elif else esac fi then'.split(' '));
const KEYWORDS = new Set([...CLOSERS, ...'! { case for if in until while'.split(' ')]);
const REDIRECTIONS: readonly RedirectionOperator[] = ['<', '>', '>>', '>|', '<>', '<&', '>&'];

/** A parser of a whole script. */
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
export class Parser {
  readonly #lexer: Lexer;

  constructor(lexer: Lexer) {
    this.#lexer = lexer;
  }

  /** How much of the text has been consumed. */
  get position(): number {
    return this.#lexer.pos;
  }

  /** The commands of the next line, as a shell reads them; undefined at the end. */
  line(): List | undefined {
    while (this.#peek().type === 'newline') this.#lexer.next();
    if (this.#peek().type === 'end') return undefined;
    const list: AndOr[] = [];
    for (;;) {
      list.push(this.#andOr());
      const separated = this.#separator();
      const next = this.#peek();
      if (next.type === 'newline' || next.type === 'end') {
        if (next.type === 'end') this.#lexer.endOfInput();
        this.#lexer.next();
        return this.#marked(list);
      }
      if (!separated) this.#unexpected(next);
    }
  }

  /** Commands up to a closing word or operator. */
  list(): List {
    const list: AndOr[] = [];
    for (;;) {
      while (this.#peek().type === 'newline') this.#lexer.next();
      if (this.#closes(this.#peek())) return this.#marked(list);
      list.push(this.#andOr());
      const separated = this.#separator();
      if (!separated && this.#peek().type !== 'newline') {
        if (this.#closes(this.#peek())) return this.#marked(list);
        this.#unexpected(this.#peek());
      }
    }
  }

  expectOperator(text: string): void {
    const token = this.#lexer.next();
    if (token.type !== 'operator' || token.text !== text) this.#unexpected(token, text);
  }

  readonly #background = new Set<AndOr>();

  #marked(list: readonly AndOr[]): List {
    return list.map((each) => (this.#background.has(each) ? { ...each, background: true } : each));
  }

  /** `;` or `&` behind a command. */
  #separator(): boolean {
    const token = this.#peek();
    if (token.type !== 'operator' || (token.text !== ';' && token.text !== '&')) return false;
    this.#lexer.next();
    if (token.text === '&' && this.#last) this.#background.add(this.#last);
    return true;
  }

  #last: AndOr | undefined;

  #peek(): Token {
    return this.#lexer.peek();
  }

  #closes(token: Token): boolean {
    if (token.type === 'end') return true;
    if (token.type === 'operator') return token.text === ')' || token.text === ';;';
    return token.type === 'word' && token.literal !== undefined && CLOSERS.has(token.literal);
  }

  #andOr(): AndOr {
    const first = this.#pipeline();
    const rest: { operator: '&&' | '||'; pipeline: Pipeline }[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.type !== 'operator' || (token.text !== '&&' && token.text !== '||')) break;
      this.#lexer.next();
      this.#skipNewlines();
      rest.push({ operator: token.text, pipeline: this.#pipeline() });
    }
    const result = { first, rest, background: false };
    this.#last = result;
    return result;
  }

  #pipeline(): Pipeline {
    let negated = false;
    if (this.#isWord('!')) {
      this.#lexer.next();
      negated = true;
    }
    const commands = [this.#command()];
    for (;;) {
      const token = this.#peek();
      if (token.type !== 'operator' || token.text !== '|') return { negated, commands };
      this.#lexer.next();
      this.#skipNewlines();
      commands.push(this.#command());
    }
  }

  #command(): Command {
    const token = this.#peek();
    const { line } = this.#lexer.positionOf(token.start);
    if (token.type === 'operator' && token.text === '(') {
      this.#lexer.next();
      const body = this.#body();
      this.expectOperator(')');
      return { type: 'subshell', body, line, redirections: this.#redirections() };
    }
    if (token.type === 'word') {
      const compound = this.#compound(token.literal, line, token);
      if (compound) return compound;
    } else if (token.type !== 'fd' && !(token.type === 'operator' && this.#isRedirection(token.text))) {
      this.#unexpected(token);
    }
    return this.#simple(line);
  }

  #compound(literal: string | undefined, line: number, token: Token): Command | undefined {
    const finish = <T>(node: T) => ({ ...node, line, redirections: this.#redirections() });
    switch (literal) {
      case '{': {
        this.#lexer.next();
        const body = this.#body();
        this.#expectWord('}');
        return finish({ type: 'group' as const, body });
      }
      case 'if':
        return finish(this.#if());
      case 'while':
      case 'until': {
        this.#lexer.next();
        const condition = this.#body();
        return finish({
          type: 'loop' as const,
          until: literal === 'until',
          condition,
          body: this.#doGroup(),
        });
      }
      case 'for':
        return finish(this.#for());
      case 'case':
        return finish(this.#case());
      case '[[':
        return this.#lexer.unsupported('[[ ]]', token.start);
      case 'function':
      case 'select':
      case 'coproc':
        return this.#lexer.options.bash ? this.#lexer.unsupported(literal, token.start) : undefined;
      default:
        if (literal !== undefined && KEYWORDS.has(literal) && literal !== 'in') this.#unexpected(token);
        return undefined;
    }
  }

  /** A list that must not be empty. */
  #body(): List {
    const body = this.list();
    if (body.length === 0) this.#unexpected(this.#peek());
    return body;
  }

  #if() {
    this.#lexer.next();
    const clauses: { condition: List; body: List }[] = [];
    let otherwise: List | undefined;
    for (;;) {
      const condition = this.#body();
      this.#expectWord('then');
      clauses.push({ condition, body: this.#body() });
      if (this.#isWord('elif')) {
        this.#lexer.next();
        continue;
      }
      if (this.#isWord('else')) {
        this.#lexer.next();
        otherwise = this.#body();
      }
      this.#expectWord('fi');
      return { type: 'if' as const, clauses, otherwise };
    }
  }

  #doGroup(): List {
    this.#expectWord('do');
    const body = this.#body();
    this.#expectWord('done');
    return body;
  }

  #for() {
    this.#lexer.next();
    const token = this.#lexer.next();
    if (token.type === 'operator' && token.text === '(' && this.#lexer.options.bash)
      this.#lexer.unsupported('for (( ))', token.start);
    if (token.type !== 'word' || token.literal === undefined || !/^[A-Za-z_]\w*$/.test(token.literal))
      return this.#lexer.fail('Bad for loop variable', token.start, token.type === 'end');
    this.#skipNewlines();
    let words: Word[] | undefined;
    if (this.#isWord('in')) {
      this.#lexer.next();
      words = [];
      for (let next = this.#peek(); next.type === 'word'; next = this.#peek()) {
        words.push(next.word);
        this.#lexer.next();
      }
      const end = this.#lexer.next();
      if (end.type !== 'newline' && !(end.type === 'operator' && end.text === ';')) this.#unexpected(end);
    } else {
      const next = this.#peek();
      if (next.type === 'operator' && next.text === ';') this.#lexer.next();
    }
    this.#skipNewlines();
    return { type: 'for' as const, name: token.literal, words, body: this.#doGroup() };
  }

  #case() {
    this.#lexer.next();
    const subject = this.#lexer.next();
    if (subject.type !== 'word') return this.#unexpected(subject, 'word');
    this.#skipNewlines();
    this.#expectWord('in');
    this.#skipNewlines();
    const items: { patterns: Word[]; body: List }[] = [];
    while (!this.#isWord('esac')) {
      const open = this.#peek();
      if (open.type === 'operator' && open.text === '(') this.#lexer.next();
      const patterns: Word[] = [];
      for (;;) {
        const pattern = this.#lexer.next();
        if (pattern.type !== 'word') return this.#unexpected(pattern, 'word');
        patterns.push(pattern.word);
        const next = this.#lexer.next();
        if (next.type === 'operator' && next.text === '|') continue;
        if (next.type === 'operator' && next.text === ')') break;
        return this.#unexpected(next, ')');
      }
      items.push({ patterns, body: this.list() });
      const end = this.#peek();
      if (end.type === 'operator' && end.text === ';;') this.#lexer.next();
      else if (!this.#isWord('esac')) this.#unexpected(end, ';;');
      this.#skipNewlines();
    }
    this.#lexer.next();
    return { type: 'case' as const, word: subject.word, items };
  }

  #simple(line: number): Command {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.type === 'word') {
        const assignment = words.length === 0 ? assignmentOf(token.word) : undefined;
        this.#lexer.next();
        if (assignment) assignments.push(assignment);
        else words.push(token.word);
        const next = this.#peek();
        const isFirst = words.length === 1 && assignments.length === 0 && redirections.length === 0;
        if (next.type === 'operator' && next.text === '(') {
          if (!isFirst || assignment) this.#unexpected(next);
          return this.#function(token, line);
        }
        continue;
      }
      const redirection = this.#redirection();
      if (!redirection) break;
      redirections.push(redirection);
    }
    return { type: 'simple', assignments, words, redirections, line };
  }

  #function(name: Token & { type: 'word' }, line: number): Command {
    this.#lexer.next();
    this.expectOperator(')');
    if (name.literal === undefined || !/^[A-Za-z_][\w-]*$/.test(name.literal))
      this.#lexer.fail('Bad function name', name.start);
    this.#skipNewlines();
    return { type: 'function', name: name.literal ?? '', body: this.#command(), line, redirections: [] };
  }

  #redirections(): Redirection[] {
    const found: Redirection[] = [];
    for (let each = this.#redirection(); each; each = this.#redirection()) found.push(each);
    return found;
  }

  #isRedirection(text: string): boolean {
    return text === '<<' || text === '<<-' || REDIRECTIONS.some((each) => each === text);
  }

  #redirection(): Redirection | undefined {
    let token = this.#peek();
    let fd: number | undefined;
    if (token.type === 'fd') {
      fd = token.fd;
      this.#lexer.next();
      token = this.#peek();
    }
    if (token.type !== 'operator' || !this.#isRedirection(token.text)) return undefined;
    this.#lexer.next();
    const target = this.#lexer.next();
    if (target.type !== 'word') return this.#unexpected(target, target.type === 'fd' ? undefined : 'word');
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
    this.#lexer.addHereDocument(redirection, delimiter, quoted, text === '<<-');
    return redirection;
  }

  #skipNewlines(): void {
    while (this.#peek().type === 'newline') this.#lexer.next();
  }

  #isWord(text: string): boolean {
    const token = this.#peek();
    return token.type === 'word' && token.literal === text;
  }

  #expectWord(text: string): void {
    if (!this.#isWord(text)) this.#unexpected(this.#peek(), text);
    this.#lexer.next();
  }

  #unexpected(token: Token, expected?: string): never {
    const what =
      token.type === 'end'
        ? 'end of file'
        : token.type === 'newline'
          ? 'newline'
          : token.type === 'operator'
            ? this.#isRedirection(token.text)
              ? 'redirection'
              : `"${token.text}"`
            : token.type === 'word' && token.literal !== undefined && KEYWORDS.has(token.literal)
              ? `"${token.literal}"`
              : 'word';
    const wanted =
      expected === undefined ? '' : ` (expecting ${expected === 'word' ? 'word' : `"${expected}"`})`;
    return this.#lexer.fail(`${what} unexpected${wanted}`, token.start, token.type === 'end');
  }
}

/** `NAME=value` with its name unquoted. */
function assignmentOf(word: Word): Assignment | undefined {
  const [first, ...rest] = word.parts;
  if (first?.type !== 'text' || first.quoted) return undefined;
  const [whole, name] = /^([A-Za-z_]\w*)=/.exec(first.text) ?? [];
  if (whole === undefined || name === undefined) return undefined;
  const text = first.text.slice(whole.length);
  return { name, value: { parts: text === '' ? rest : [{ ...first, text }, ...rest] } };
}
