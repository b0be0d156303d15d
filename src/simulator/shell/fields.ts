import { escapePattern } from './pattern.ts';

export interface Field {
  text: string;
  /** The text as a pattern, in which quoted characters match only themselves. */
  pattern: string;
}

/** Combines the expanded parts of a word, and splits unquoted parts at the characters of IFS. */
export class FieldBuilder {
  readonly fields: Field[] = [];
  readonly #white: string;
  readonly #other: string;
  #current: Field | undefined;

  /** @param ifs undefined if IFS is not set */
  constructor(ifs: string | undefined) {
    const all = ifs ?? ' \t\n';
    this.#white = [...all].filter((char) => /[ \t\n]/.test(char)).join('');
    this.#other = [...all].filter((char) => !/[ \t\n]/.test(char)).join('');
  }

  quoted(text: string): void {
    const field = this.#open();
    field.text += text;
    field.pattern += escapePattern(text);
  }

  /** Text of the script itself, which is not split. */
  literal(text: string): void {
    const field = this.#open();
    field.text += text;
    field.pattern += text;
  }

  /** The result of an expansion. */
  split(text: string): void {
    for (let at = 0; at < text.length; ) {
      const char = text[at] ?? '';
      if (this.#white.includes(char)) {
        at = this.#skipWhite(text, at);
        if (at < text.length && this.#other.includes(text[at] ?? '')) {
          at = this.#skipWhite(text, at + 1);
          this.#open();
        }
        this.close();
      } else if (this.#other.includes(char)) {
        at = this.#skipWhite(text, at + 1);
        this.#open();
        this.close();
      } else {
        let end = at + 1;
        while (
          end < text.length &&
          !this.#white.includes(text[end] ?? '') &&
          !this.#other.includes(text[end] ?? '')
        )
          end += 1;
        this.literal(text.slice(at, end));
        at = end;
      }
    }
  }

  /** Ends the current field, if there is one. */
  close(): void {
    if (this.#current) this.fields.push(this.#current);
    this.#current = undefined;
  }

  #open(): Field {
    this.#current ??= { text: '', pattern: '' };
    return this.#current;
  }

  #skipWhite(text: string, at: number): number {
    while (at < text.length && this.#white.includes(text[at] ?? '')) at += 1;
    return at;
  }
}

/** The destination of an expansion. */
export interface Target {
  quoted(text: string): void;
  literal(text: string): void;
  split(text: string): void;
  close(): void;
}
