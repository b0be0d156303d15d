import type { List, Word } from './syntax-tree.ts';
import { TokenReader } from './token-reader.ts';

/** Parses if, for and case, and the bodies of loops. @throws ShellSyntaxError */
export abstract class CompoundParser extends TokenReader {
  /** Commands up to a closing keyword or operator. */
  abstract list(): List;

  /** A list that must not be empty. */
  protected body(): List {
    const body = this.list();
    if (body.length === 0) this.unexpected(this.peek());
    return body;
  }

  protected ifCommand() {
    this.lexer.next();
    const clauses: { condition: List; body: List }[] = [];
    let otherwise: List | undefined;
    for (;;) {
      const condition = this.body();
      this.expectWord('then');
      clauses.push({ condition, body: this.body() });
      if (this.isWord('elif')) {
        this.lexer.next();
        continue;
      }
      if (this.isWord('else')) {
        this.lexer.next();
        otherwise = this.body();
      }
      this.expectWord('fi');
      return { type: 'if' as const, clauses, otherwise };
    }
  }

  protected doGroup(): List {
    this.expectWord('do');
    const body = this.body();
    this.expectWord('done');
    return body;
  }

  protected forCommand() {
    this.lexer.next();
    const token = this.lexer.next();
    if (token.type === 'operator' && token.text === '(' && this.lexer.options.bash)
      this.lexer.unsupported('for (( ))', token.start);
    if (token.type !== 'word' || token.literal === undefined || !/^[A-Za-z_]\w*$/.test(token.literal))
      return this.lexer.fail('Bad for loop variable', token.start, token.type === 'end');
    this.skipNewlines();
    let words: Word[] | undefined;
    if (this.isWord('in')) {
      this.lexer.next();
      words = [];
      for (let next = this.peek(); next.type === 'word'; next = this.peek()) {
        words.push(next.word);
        this.lexer.next();
      }
      const end = this.lexer.next();
      if (end.type !== 'newline' && !(end.type === 'operator' && end.text === ';')) this.unexpected(end);
    } else {
      const next = this.peek();
      if (next.type === 'operator' && next.text === ';') this.lexer.next();
    }
    this.skipNewlines();
    return { type: 'for' as const, name: token.literal, words, body: this.doGroup() };
  }

  protected caseCommand() {
    this.lexer.next();
    const subject = this.lexer.next();
    if (subject.type !== 'word') return this.unexpected(subject, 'word');
    this.skipNewlines();
    this.expectWord('in');
    this.skipNewlines();
    const items: { patterns: Word[]; body: List }[] = [];
    while (!this.isWord('esac')) {
      const open = this.peek();
      if (open.type === 'operator' && open.text === '(') this.lexer.next();
      const patterns: Word[] = [];
      for (;;) {
        const pattern = this.lexer.next();
        if (pattern.type !== 'word') return this.unexpected(pattern, 'word');
        patterns.push(pattern.word);
        const next = this.lexer.next();
        if (next.type === 'operator' && next.text === '|') continue;
        if (next.type === 'operator' && next.text === ')') break;
        return this.unexpected(next, ')');
      }
      items.push({ patterns, body: this.list() });
      const end = this.peek();
      if (end.type === 'operator' && end.text === ';;') this.lexer.next();
      else if (!this.isWord('esac')) this.unexpected(end, ';;');
      this.skipNewlines();
    }
    this.lexer.next();
    return { type: 'case' as const, word: subject.word, items };
  }
}
