import { type Call, Failure } from './program.ts';
import { regexSource } from './regex.ts';

export async function expr(call: Call): Promise<number> {
  const value = new Expression(call.args).whole();
  await call.printBytes(`${value}\n`);
  return value === '' || value === '0' ? 1 : 0;
}

const LEVELS: readonly (readonly string[])[] = [
  ['|'],
  ['&'],
  ['=', '==', '!=', '<', '>', '<=', '>='],
  ['+', '-'],
  ['*', '/', '%'],
  [':'],
];

/** The arguments of expr. */
class Expression {
  readonly #args: readonly string[];
  #at = 0;

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  whole(): string {
    const value = this.#level(0);
    if (this.#at < this.#args.length || this.#args.length === 0) throw new Failure('syntax error', 2);
    return value;
  }

  #level(level: number): string {
    if (level === LEVELS.length) return this.#primary();
    let left = this.#level(level + 1);
    for (
      let operator = this.#args[this.#at] ?? '';
      LEVELS[level]?.includes(operator);
      operator = this.#args[this.#at] ?? ''
    ) {
      this.#at += 1;
      left = apply(left, operator, this.#level(level + 1));
    }
    return left;
  }

  #primary(): string {
    const word = this.#args[this.#at];
    if (word === undefined) throw new Failure('syntax error: missing argument', 2);
    this.#at += 1;
    if (word === '(') {
      const value = this.#level(0);
      if (this.#args[this.#at] !== ')') throw new Failure("syntax error: expecting ')'", 2);
      this.#at += 1;
      return value;
    }
    if (word === 'length') return String(this.#primary().length);
    return word;
  }
}

function apply(left: string, operator: string, right: string): string {
  const empty = (text: string) => text === '' || text === '0';
  const numeric = /^-?\d+$/.test(left) && /^-?\d+$/.test(right);
  switch (operator) {
    case '|':
      return empty(left) ? (empty(right) ? '0' : right) : left;
    case '&':
      return empty(left) || empty(right) ? '0' : left;
    case ':': {
      const match = new RegExp(`^(?:${regexSource(right, false)})`).exec(left);
      return match
        ? match.length > 1
          ? (match[1] ?? '')
          : String(match[0].length)
        : right.includes('\\(')
          ? ''
          : '0';
    }
    case '+':
    case '-':
    case '*':
    case '/':
    case '%': {
      if (!numeric) throw new Failure('non-integer argument', 2);
      const [a, b] = [BigInt(left), BigInt(right)];
      if (b === 0n && (operator === '/' || operator === '%')) throw new Failure('division by zero', 2);
      return String(
        operator === '+'
          ? a + b
          : operator === '-'
            ? a - b
            : operator === '*'
              ? a * b
              : operator === '/'
                ? a / b
                : a % b,
      );
    }
    default: {
      const order = numeric ? Number(left) - Number(right) : left < right ? -1 : left > right ? 1 : 0;
      const holds = {
        '=': order === 0,
        '==': order === 0,
        '!=': order !== 0,
        '<': order < 0,
        '>': order > 0,
        '<=': order <= 0,
        '>=': order >= 0,
      }[operator];
      return holds ? '1' : '0';
    }
  }
}
