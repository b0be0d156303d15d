/** An expression that cannot be evaluated. */
export class ArithmeticError extends Error {}

export interface ArithmeticVariables {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}

const BINARY: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const ASSIGNMENT = /^(=(?!=)|\+=|-=|\*=|\/=|%=|<<=|>>=|&=|\^=|\|=)/;

/** Evaluates `$(( ))` with 64-bit integers. @throws ArithmeticError */
export function evaluate(expression: string, variables: ArithmeticVariables): string {
  return new Evaluator(expression, variables).whole().toString();
}

class Evaluator {
  readonly #text: string;
  readonly #variables: ArithmeticVariables;
  #at = 0;
  /** Above 0: the current part is parsed but not evaluated, as after `0 &&`. */
  #idle = 0;

  constructor(text: string, variables: ArithmeticVariables) {
    this.#text = text;
    this.#variables = variables;
  }

  whole(): bigint {
    const value = this.#assignment();
    this.#skip();
    if (this.#at < this.#text.length) this.#fail('expecting EOF');
    return value;
  }

  #fail(text: string): never {
    throw new ArithmeticError(`arithmetic expression: ${text}: "${this.#text}"`);
  }

  #skip(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #assignment(): bigint {
    this.#skip();
    const rest = this.#text.slice(this.#at);
    const name = /^[A-Za-z_]\w*/.exec(rest)?.[0];
    if (name !== undefined) {
      const blank = /^\s*/.exec(rest.slice(name.length))?.[0].length ?? 0;
      const operator = ASSIGNMENT.exec(rest.slice(name.length + blank))?.[0];
      if (operator !== undefined) {
        this.#at += name.length + blank + operator.length;
        const right = this.#assignment();
        const value =
          operator === '=' ? right : this.#apply(operator.slice(0, -1), this.#variable(name), right);
        if (this.#idle === 0) this.#variables.set(name, value.toString());
        return value;
      }
    }
    return this.#conditional();
  }

  #conditional(): bigint {
    const condition = this.#binary(0);
    this.#skip();
    if (this.#text[this.#at] !== '?') return condition;
    this.#at += 1;
    const yes = this.#when(condition !== 0n, () => this.#assignment());
    this.#skip();
    if (this.#text[this.#at] !== ':') this.#fail(`expecting ':'`);
    this.#at += 1;
    const no = this.#when(condition === 0n, () => this.#conditional());
    return condition !== 0n ? yes : no;
  }

  #when(counts: boolean, read: () => bigint): bigint {
    if (!counts) this.#idle += 1;
    const value = read();
    if (!counts) this.#idle -= 1;
    return value;
  }

  #operator(level: number): string | undefined {
    this.#skip();
    const rest = this.#text.slice(this.#at, this.#at + 3);
    const found = BINARY[level]?.find((each) => rest.startsWith(each));
    if (found === undefined) return undefined;
    // `|` is not part of `||`, `<` is not part of `<<`, and none of them is part of an assignment.
    const next = rest[found.length];
    if ((found === '|' || found === '&') && next === found) return undefined;
    if ((found === '<' || found === '>') && next === found) return undefined;
    if (next === '=' && !['==', '!=', '<=', '>=', '||', '&&'].includes(found)) return undefined;
    return found;
  }

  #binary(level: number): bigint {
    if (level === BINARY.length) return this.#unary();
    let left = this.#binary(level + 1);
    for (let operator = this.#operator(level); operator !== undefined; operator = this.#operator(level)) {
      this.#at += operator.length;
      if (operator === '||' || operator === '&&') {
        const counts = operator === '||' ? left === 0n : left !== 0n;
        const right = this.#when(counts, () => this.#binary(level + 1));
        left = (operator === '||' ? left !== 0n || right !== 0n : left !== 0n && right !== 0n) ? 1n : 0n;
      } else left = this.#apply(operator, left, this.#binary(level + 1));
    }
    return left;
  }

  #unary(): bigint {
    this.#skip();
    const char = this.#text[this.#at] ?? '';
    if (char === '-' || char === '+' || char === '!' || char === '~') {
      this.#at += 1;
      const value = this.#unary();
      return BigInt.asIntN(
        64,
        char === '-' ? -value : char === '+' ? value : char === '~' ? ~value : value === 0n ? 1n : 0n,
      );
    }
    if (char === '(') {
      this.#at += 1;
      const value = this.#assignment();
      this.#skip();
      if (this.#text[this.#at] !== ')') this.#fail(`expecting ')'`);
      this.#at += 1;
      return value;
    }
    const rest = this.#text.slice(this.#at);
    const number = /^(0[xX][0-9a-fA-F]+|\d+)/.exec(rest)?.[0];
    if (number !== undefined) {
      this.#at += number.length;
      const value = parseInteger(number);
      if (value === undefined || /^\w/.test(rest.slice(number.length))) this.#fail('expecting EOF');
      return value;
    }
    const name = /^[A-Za-z_]\w*/.exec(rest)?.[0];
    if (name === undefined) this.#fail('expecting primary');
    this.#at += name.length;
    return this.#variable(name);
  }

  #variable(name: string): bigint {
    const text = this.#variables.get(name)?.trim() ?? '';
    if (text === '') return 0n;
    const [, sign = '', digits = ''] = /^([-+]?)(.*)$/s.exec(text) ?? [];
    const value = parseInteger(digits);
    if (value === undefined) throw new ArithmeticError(`Illegal number: ${text}`);
    return sign === '-' ? -value : value;
  }

  #apply(operator: string, left: bigint, right: bigint): bigint {
    const truth = (value: boolean) => (value ? 1n : 0n);
    switch (operator) {
      case '+':
        return BigInt.asIntN(64, left + right);
      case '-':
        return BigInt.asIntN(64, left - right);
      case '*':
        return BigInt.asIntN(64, left * right);
      case '/':
      case '%':
        if (right === 0n) {
          if (this.#idle > 0) return 0n;
          this.#fail('division by zero');
        }
        return BigInt.asIntN(64, operator === '/' ? left / right : left % right);
      case '<<':
        return BigInt.asIntN(64, left << (right & 63n));
      case '>>':
        return left >> (right & 63n);
      case '<':
        return truth(left < right);
      case '>':
        return truth(left > right);
      case '<=':
        return truth(left <= right);
      case '>=':
        return truth(left >= right);
      case '==':
        return truth(left === right);
      case '!=':
        return truth(left !== right);
      case '&':
        return left & right;
      case '|':
        return left | right;
      default:
        return left ^ right;
    }
  }
}

/** Decimal, octal with a leading 0, hexadecimal with 0x; undefined for anything else. */
export function parseInteger(text: string): bigint | undefined {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return BigInt.asIntN(64, BigInt(text));
  if (/^0[0-7]+$/.test(text)) return BigInt.asIntN(64, BigInt(`0o${text.slice(1)}`));
  if (!/^(0|[1-9]\d*)$/.test(text)) return undefined;
  const value = BigInt(text);
  return value > 9223372036854775807n ? 9223372036854775807n : value;
}
