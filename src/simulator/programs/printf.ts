import { parseInteger } from '../shell/arithmetic.ts';

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/**
 * Interprets backslash escapes. Octal numbers have up to three digits in a format, and a 0 and up to three in echo and %b.
 * @returns the bytes, and whether `\c` ended the output
 */
export function interpretEscapes(
  text: string,
  where: 'format' | 'echo',
): { bytes: string; stopped: boolean } {
  let bytes = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    const next = text[at + 1];
    if (char !== '\\' || next === undefined) {
      bytes += char;
      continue;
    }
    if (next === 'c' && where === 'echo') return { bytes, stopped: true };
    const octal = (where === 'echo' ? /^0[0-7]{0,3}/ : /^[0-7]{1,3}/).exec(text.slice(at + 1, at + 5))?.[0];
    const simple = SIMPLE[next];
    if (octal !== undefined) {
      bytes += String.fromCharCode(Number.parseInt(octal, 8) & 255);
      at += octal.length;
    } else if (simple !== undefined) {
      bytes += simple;
      at += 1;
    } else if (where === 'format' && (next === '"' || next === "'")) {
      bytes += next;
      at += 1;
    } else bytes += char;
  }
  return { bytes, stopped: false };
}

/** printf of POSIX. The format is reused until all values are printed. */
export function formatted(format: string, values: readonly string[]): { bytes: string; faults: string[] } {
  const faults: string[] = [];
  const rest = [...values];
  let bytes = '';
  do {
    const before = rest.length;
    const round = once(format, rest, faults);
    bytes += round.bytes;
    if (round.stopped || rest.length === before) break;
  } while (rest.length > 0);
  return { bytes, faults };
}

const DIRECTIVE = /%(?:%|([-+ #0]*)(\*|\d+)?(?:\.(\*|\d*))?([diouxXcsbeEfFgG]))/g;

function once(format: string, rest: string[], faults: string[]): { bytes: string; stopped: boolean } {
  let bytes = '';
  let at = 0;
  for (const match of format.matchAll(DIRECTIVE)) {
    bytes += interpretEscapes(format.slice(at, match.index), 'format').bytes;
    at = match.index + match[0].length;
    if (match[0] === '%%') {
      bytes += '%';
      continue;
    }
    const [, flags = '', widthText, precisionText, kind = ''] = match;
    const width = widthText === '*' ? Number(rest.shift() ?? 0) : Number(widthText ?? 0);
    const precision =
      precisionText === undefined
        ? undefined
        : precisionText === '*'
          ? Number(rest.shift() ?? 0)
          : Number(precisionText);
    const value = rest.shift();
    if (kind === 'b') {
      const inner = interpretEscapes(value ?? '', 'echo');
      bytes += pad(precision === undefined ? inner.bytes : inner.bytes.slice(0, precision), width, flags);
      if (inner.stopped) return { bytes, stopped: true };
    } else
      bytes += pad(
        convert(kind, value, flags, precision, faults),
        width,
        flags,
        (/[diouxX]/.test(kind) && precision === undefined) || /[eEfFgG]/.test(kind),
      );
  }
  return { bytes: bytes + interpretEscapes(format.slice(at), 'format').bytes, stopped: false };
}

function pad(text: string, width: number, flags: string, numeric = false): string {
  if (flags.includes('-') || width < 0) return text.padEnd(Math.abs(width));
  if (numeric && flags.includes('0')) {
    const sign = /^([-+ ]|0[xX])?/.exec(text)?.[0] ?? '';
    return sign + text.slice(sign.length).padStart(width - sign.length, '0');
  }
  return text.padStart(width);
}

function convert(
  kind: string,
  value: string | undefined,
  flags: string,
  precision: number | undefined,
  faults: string[],
): string {
  if (kind === 's') return precision === undefined ? (value ?? '') : (value ?? '').slice(0, precision);
  if (kind === 'c') return value === undefined || value === '' ? '\0' : value.slice(0, 1);
  if (/[eEfFgG]/.test(kind)) return float(kind, Number(value ?? 0), precision ?? 6, flags);
  const number = integer(value ?? '0', faults);
  const unsigned = number < 0n ? BigInt.asUintN(64, number) : number;
  let digits =
    kind === 'o'
      ? unsigned.toString(8)
      : /[xX]/.test(kind)
        ? unsigned.toString(16)
        : kind === 'u'
          ? unsigned.toString()
          : (number < 0n ? -number : number).toString();
  if (kind === 'X') digits = digits.toUpperCase();
  if (precision !== undefined)
    digits = precision === 0 && number === 0n ? '' : digits.padStart(precision, '0');
  if (flags.includes('#') && number !== 0n)
    digits = kind === 'o' ? `0${digits}` : /[xX]/.test(kind) ? `0${kind}${digits}` : digits;
  if (!/[di]/.test(kind)) return digits;
  return number < 0n
    ? `-${digits}`
    : flags.includes('+')
      ? `+${digits}`
      : flags.includes(' ')
        ? ` ${digits}`
        : digits;
}

/** An integer in C notation, or the code of the character after a quote. */
function integer(text: string, faults: string[]): bigint {
  if (text === '') return 0n;
  if (/^["']./.test(text)) return BigInt(text.charCodeAt(1));
  const [, sign = '', digits = ''] = /^\s*([-+]?)(0[xX][0-9a-fA-F]+|\d+)/.exec(text) ?? [];
  const whole = text.trim() === `${sign}${digits}` && digits !== '';
  const usable = /^0\d/.test(digits) ? (/^0[0-7]*/.exec(digits)?.[0] ?? '0') : digits;
  if (!whole || usable !== digits)
    faults.push(`${text}: ${digits === '' ? 'expected numeric value' : 'not completely converted'}`);
  const value = parseInteger(usable === '' ? '0' : usable) ?? 0n;
  return sign === '-' ? -value : value;
}

function float(kind: string, value: number, precision: number, flags: string): string {
  const exponent = (text: string) => text.replace(/e([-+])(\d)$/, 'e$10$2');
  const text =
    kind === 'f' || kind === 'F'
      ? value.toFixed(precision)
      : kind === 'e' || kind === 'E'
        ? exponent(value.toExponential(precision))
        : exponent(String(Number(value.toPrecision(precision || 1))));
  const signed = value >= 0 && flags.includes('+') ? `+${text}` : text;
  return /[EG]/.test(kind) ? signed.toUpperCase() : signed;
}
