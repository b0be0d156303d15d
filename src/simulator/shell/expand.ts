import { ArithmeticError, evaluate } from './arithmetic.ts';
import { expandPathnames } from './expand-pathnames.ts';
import { FieldBuilder, type Target } from './fields.ts';
import { escapePattern, hasPattern, trim, trimOperator } from './pattern.ts';
import type { Shell } from './posix-shell.ts';
import { ShellError } from './shell-errors.ts';
import { drive, type Steps, wait } from './steps.ts';
import type { List, ParameterPart, Part, Word } from './syntax-tree.ts';
import { expandTilde, expandTildes } from './tilde.ts';

/** Expands words for one shell: parameters, commands, arithmetic, fields, pathnames. */
export class Expander {
  readonly #shell: Shell;
  readonly #substitute: (body: List) => Promise<string>;

  constructor(shell: Shell, substitute: (body: List) => Promise<string>) {
    this.#shell = shell;
    this.#substitute = substitute;
  }

  /** Expands the words of a command to fields. */
  fields(words: readonly Word[]): string[] | Promise<string[]> {
    return drive(this.#fields(words));
  }

  *#fields(words: readonly Word[]): Steps<string[]> {
    const fields: string[] = [];
    for (const word of words) {
      const [only] = word.parts;
      if (word.parts.length === 1 && only?.type === 'text' && (only.quoted || !/[*?[~]/.test(only.text))) {
        fields.push(only.text);
        continue;
      }
      const builder = new FieldBuilder(this.#shell.variables.get('IFS'));
      yield* this.#parts(word.parts, builder, { tilde: true, literal: false });
      builder.close();
      for (const { text, pattern } of builder.fields) {
        const names =
          !this.#shell.options.f && hasPattern(pattern)
            ? yield* wait(expandPathnames(this.#shell.sys, pattern))
            : [];
        if (names.length > 0) fields.push(...names);
        else fields.push(text);
      }
    }
    return fields;
  }

  /** A word as one string: assignments, `case`, redirections, here-documents. */
  text(word: Word, options: { assignment?: boolean } = {}): string | Promise<string> {
    const [only] = word.parts;
    if (only === undefined) return '';
    if (word.parts.length === 1 && only.type === 'text' && (only.quoted || !/(^|:)~/.test(only.text)))
      return only.text;
    return drive(this.#text(word, options));
  }

  *#text(word: Word, options: { assignment?: boolean } = {}): Steps<string> {
    let text = '';
    const add = (more: string) => {
      text += more;
    };
    const target = { quoted: add, literal: add, split: add, close: () => add(this.#separator()) };
    yield* this.#parts(word.parts, target, {
      tilde: true,
      literal: false,
      assignment: options.assignment === true,
    });
    return text;
  }

  /** A word as a pattern. */
  pattern(word: Word): string | Promise<string> {
    return drive(this.#pattern(word));
  }

  *#pattern(word: Word): Steps<string> {
    let pattern = '';
    const add = (more: string) => {
      pattern += more;
    };
    const target = {
      quoted: (more: string) => add(escapePattern(more)),
      literal: add,
      split: add,
      close: () => add(' '),
    };
    yield* this.#parts(word.parts, target, { tilde: true, literal: false });
    return pattern;
  }

  /** @param context `literal`: text of the script is also split, as in ${x:-a b} */
  *#parts(
    parts: readonly Part[],
    target: Target,
    context: { tilde: boolean; literal: boolean; assignment?: boolean },
  ): Steps<void> {
    for (const [index, part] of parts.entries()) {
      switch (part.type) {
        case 'text': {
          if (part.quoted) target.quoted(part.text);
          else {
            const home =
              context.tilde && index === 0
                ? expandTilde(this.#shell, part.text, parts.length === 1, context.assignment)
                : undefined;
            if (context.assignment === true && part.text.includes(':~'))
              target.literal(expandTildes(this.#shell, part.text, index === 0));
            else if (home) {
              target.quoted(home.directory);
              if (home.rest !== '') target.literal(home.rest);
            } else if (context.literal) target.split(part.text);
            else target.literal(part.text);
          }
          break;
        }
        case 'command': {
          const output = yield* wait(this.#substitute(part.body));
          if (part.quoted) target.quoted(output);
          else target.split(output);
          break;
        }
        case 'arithmetic': {
          const value = this.#arithmetic(yield* this.#text(part.expression));
          if (part.quoted) target.quoted(value);
          else target.split(value);
          break;
        }
        default:
          yield* this.#parameter(part, target);
      }
    }
  }

  #arithmetic(expression: string): string {
    const { variables } = this.#shell;
    try {
      return evaluate(expression, {
        get: (name) => this.#value(name, false),
        set: (name, value) => {
          if (!variables.set(name, value)) throw new ShellError(`${name}: is read only`);
        },
      });
    } catch (error) {
      if (error instanceof ArithmeticError) throw new ShellError(error.message);
      throw error;
    }
  }

  *#parameter(part: ParameterPart, target: Target): Steps<void> {
    const { name, quoted, operator, word } = part;
    if (name === '') throw new ShellError('Bad substitution');
    const isList = name === '@' || name === '*';
    if (part.length) {
      const value = isList ? this.#joined('*') : this.#value(name, true);
      const length = String((value ?? '').length);
      if (quoted) target.quoted(length);
      else target.split(length);
      return;
    }
    const plain = operator === undefined || word === undefined;
    const { positional } = this.#shell;
    if (isList) {
      // In double quotes, dash treats $* as set even without parameters.
      const counts = positional.length > 0 || (name === '*' && quoted && part.colon !== true);
      const set = counts && !(part.colon === true && positional.join('') === '');
      if (plain || (set && operator !== '+' && !/[#%]/.test(operator)))
        return this.#list(name, quoted, positional, target);
      if (/[#%]/.test(operator)) {
        const pattern = yield* this.#pattern(word);
        const trimmed = positional.map((each) => trim(each, pattern, trimOperator(operator)));
        return this.#list(name, quoted, trimmed, target);
      }
    }
    const value = isList
      ? positional.length > 0
        ? positional.join(' ')
        : undefined
      : this.#value(name, plain);
    if (plain) {
      if (value !== undefined && value !== '') {
        if (quoted) target.quoted(value);
        else target.split(value);
      } else if (quoted) target.quoted('');
      return;
    }
    const missing = value === undefined || (part.colon === true && value === '');
    const use = (text: string) => (quoted ? target.quoted(text) : target.split(text));
    switch (operator) {
      case '+':
        if (!missing) yield* this.#alternative(word, quoted, target);
        else if (quoted) target.quoted('');
        return;
      case '-':
        if (missing) yield* this.#alternative(word, quoted, target);
        else use(value);
        return;
      case '=':
        if (missing) {
          const text = yield* this.#text(word);
          if (!/^[A-Za-z_]\w*$/.test(name)) throw new ShellError(`${name}: bad variable name`);
          if (!this.#shell.variables.set(name, text)) throw new ShellError(`${name}: is read only`);
          use(text);
        } else use(value);
        return;
      case '?':
        if (missing) {
          const text = word.parts.length === 0 ? '' : yield* this.#text(word);
          throw new ShellError(
            `${name}: ${text || (part.colon ? 'parameter null or not set' : 'parameter not set')}`,
          );
        }
        use(value);
        return;
      default:
        if (value === undefined) this.#value(name, true);
        use(trim(value ?? '', yield* this.#pattern(word), operator));
    }
  }

  /** The alternative word of ${x:-word}. */
  *#alternative(word: Word, quoted: boolean, target: Target): Steps<void> {
    if (quoted) target.quoted('');
    yield* this.#parts(word.parts, target, { tilde: !quoted, literal: true });
  }

  #list(name: '@' | '*', quoted: boolean, values: readonly string[], target: Target): void {
    if (name === '*' && quoted) {
      target.quoted(values.join(this.#separator()));
      return;
    }
    for (const [index, value] of values.entries()) {
      if (index > 0) target.close();
      if (quoted) target.quoted(value);
      else target.split(value);
    }
  }

  #separator(): string {
    const ifs = this.#shell.variables.get('IFS');
    return ifs === undefined ? ' ' : ifs.slice(0, 1);
  }

  #joined(name: '@' | '*'): string {
    return this.#shell.positional.join(name === '*' ? this.#separator() : ' ');
  }

  /** The value of a parameter. @param strict requires that it is set, as `set -u` does */
  #value(name: string, strict: boolean): string | undefined {
    const value = this.#shell.parameter(name);
    if (value === undefined && strict && this.#shell.options.u)
      throw new ShellError(`${name}: parameter not set`);
    return value;
  }
}
