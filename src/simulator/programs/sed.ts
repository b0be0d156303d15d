import { eachInput, linesOf, Output } from './input.ts';
import { parseOptions } from './options.ts';
import { type Call, Failure } from './program.ts';
import { regexSource } from './regex.ts';

type Address = { type: 'line'; line: number } | { type: 'last' } | { type: 'match'; pattern: RegExp };

interface Command {
  readonly from: Address | undefined;
  readonly to: Address | undefined;
  readonly negated: boolean;
  readonly name: string;
  readonly pattern?: RegExp;
  readonly replacement?: string;
  readonly prints?: boolean;
  readonly text?: string;
  inside: boolean;
}

/** sed with s, p, d, q, y, a, i, c and =, and with addresses; no hold space, no labels. */
export async function sed(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'nEre:f:i::s', {
    long: { quiet: 'n', silent: 'n', 'regexp-extended': 'E', expression: 'e', 'in-place': 'i' },
  });
  const rest = [...options.rest];
  const scripts = [...options.values('e')];
  for (const name of options.values('f')) scripts.push((await call.readInput(name)).toString('latin1'));
  if (scripts.length === 0) {
    const script = rest.shift();
    if (script === undefined) throw new Failure('no script specified');
    scripts.push(script);
  }
  const extended = options.has('E') || options.has('r');
  const commands = parseScript(scripts.join('\n'), extended);
  if (!options.has('i')) {
    const output = new Output(call);
    const code = await run(call, commands, rest, options.has('n'), output);
    await output.flush();
    return code;
  }
  let code = 0;
  for (const name of rest) {
    let text = '';
    code = Math.max(
      code,
      await run(call, commands, [name], options.has('n'), {
        add: async (bytes) => {
          text += bytes;
        },
      }),
    );
    const file = (await call.sys.open(name, { writes: true, truncate: true })).retain();
    await file.write(call.process, Buffer.from(text, 'latin1'));
    file.release();
  }
  return code;
}

async function run(
  call: Call,
  commands: readonly Command[],
  names: readonly string[],
  quiet: boolean,
  output: { add(bytes: string): Promise<void> },
): Promise<number> {
  for (const command of commands) command.inside = false;
  let number = 0;
  let quit = false;
  const needsLast = commands.some(({ from, to }) => from?.type === 'last' || to?.type === 'last');
  const process = async (text: string, newline: string, last: boolean) => {
    number += 1;
    let line = text;
    let deleted = false;
    const after: string[] = [];
    for (const command of commands) {
      if (deleted || quit) break;
      if (applies(command, line, number, last) === command.negated) continue;
      switch (command.name) {
        case 's': {
          const before = line;
          line = substitute(line, command);
          if (command.prints && line !== before) await output.add(`${line}\n`);
          break;
        }
        case 'y':
          line = [...line]
            .map((char) => command.text?.[(command.replacement ?? '').indexOf(char)] ?? char)
            .join('');
          break;
        case 'p':
          await output.add(`${line}\n`);
          break;
        case 'd':
          deleted = true;
          break;
        case 'q':
          quit = true;
          break;
        case '=':
          await output.add(`${number}\n`);
          break;
        case 'i':
          await output.add(`${command.text ?? ''}\n`);
          break;
        case 'a':
          after.push(`${command.text ?? ''}\n`);
          break;
        default:
          await output.add(`${command.text ?? ''}\n`);
          deleted = true;
      }
    }
    if (!deleted && !quiet) await output.add(line + newline);
    for (const each of after) await output.add(each);
  };
  return eachInput(call, names, async (file) => {
    if (quit) return;
    let held: { text: string; newline: string } | undefined;
    for await (const line of linesOf(call, file)) {
      if (!needsLast) await process(line.text, line.newline, false);
      else if (held) await process(held.text, held.newline, false);
      // It reads nothing more: a process that keeps a pipe open would delay the end.
      if (quit) return;
      held = needsLast ? line : undefined;
    }
    if (held && !quit) await process(held.text, held.newline, true);
  });
}

function matchesAddress(address: Address, line: string, number: number, last: boolean): boolean {
  if (address.type === 'line') return number === address.line;
  return address.type === 'last'
    ? last
    : new RegExp(address.pattern.source, address.pattern.flags.replace('g', '')).test(line);
}

function applies(command: Command, line: string, number: number, last: boolean): boolean {
  const { from, to } = command;
  if (!from) return true;
  if (!to) return matchesAddress(from, line, number, last);
  if (command.inside) {
    command.inside = !(to.type === 'line' ? number >= to.line : matchesAddress(to, line, number, last));
    return true;
  }
  if (!matchesAddress(from, line, number, last)) return false;
  command.inside = !(to.type === 'line' && to.line <= number) && !(to.type === 'last' && last);
  return true;
}

function substitute(line: string, { pattern, replacement = '', text = '' }: Command): string {
  if (!pattern) return line;
  const only = Number(text.replaceAll(/\D/g, '') || 0);
  let count = 0;
  return line.replace(pattern, (...match: unknown[]) => {
    count += 1;
    const groups = match.filter(
      (each): each is string | undefined => typeof each === 'string' || each === undefined,
    );
    if (only > 0 && (pattern.global && text.includes('g') ? count < only : count !== only))
      return String(match[0]);
    return replacement.replaceAll(/\\([\s\S])|&/g, (whole, escaped?: string) => {
      if (whole === '&') return String(match[0]);
      if (escaped !== undefined && /\d/.test(escaped)) return groups[Number(escaped)] ?? '';
      return escaped === 'n' ? '\n' : escaped === 't' ? '\t' : (escaped ?? '');
    });
  });
}

function parseScript(script: string, extended: boolean): Command[] {
  const commands: Command[] = [];
  let at = 0;
  const delimited = (delimiter: string, keep: boolean): string => {
    let text = '';
    for (; ; at += 1) {
      const char = script[at];
      if (char === undefined) throw new Failure(`-e expression #1, char ${at}: unterminated \`s' command`);
      if (char === '\\' && at + 1 < script.length) {
        const next = script[at + 1] ?? '';
        text += next === delimiter && !keep ? next : `\\${next}`;
        at += 1;
      } else if (char === delimiter) {
        at += 1;
        return text;
      } else text += char;
    }
  };
  const address = (): Address | undefined => {
    const digits = /^\d+/.exec(script.slice(at))?.[0];
    if (digits !== undefined) {
      at += digits.length;
      return { type: 'line', line: Number(digits) };
    }
    if (script[at] === '$') {
      at += 1;
      return { type: 'last' };
    }
    if (script[at] !== '/') return undefined;
    at += 1;
    return { type: 'match', pattern: new RegExp(regexSource(delimited('/', false), extended)) };
  };
  while (at < script.length) {
    while (/[\s;{}]/.test(script[at] ?? '')) at += 1;
    if (at >= script.length) break;
    if (script[at] === '#') {
      while (at < script.length && script[at] !== '\n') at += 1;
      continue;
    }
    const from = address();
    let to: Address | undefined;
    if (script[at] === ',') {
      at += 1;
      to = address();
    }
    while (/[ \t]/.test(script[at] ?? '')) at += 1;
    const negated = script[at] === '!';
    if (negated) at += 1;
    const name = script[at] ?? '';
    at += 1;
    const common = { from, to, negated, name, inside: false };
    if (name === '{') {
      throw new Failure(`the simulator's sed has no groups`);
    }
    if (name === 's') {
      const delimiter = script[at] ?? '/';
      at += 1;
      const pattern = delimited(delimiter, false);
      const replacement = delimited(delimiter, false);
      const flags = /^[gpiI\d]*/.exec(script.slice(at))?.[0] ?? '';
      at += flags.length;
      const all = flags.includes('g') || /\d/.test(flags);
      const source = regexSource(pattern, extended);
      commands.push({
        ...common,
        pattern: new RegExp(source, `${all ? 'g' : ''}${/[iI]/.test(flags) ? 'i' : ''}`),
        replacement,
        prints: flags.includes('p'),
        text: flags,
      });
    } else if (name === 'y') {
      const delimiter = script[at] ?? '/';
      at += 1;
      commands.push({
        ...common,
        replacement: delimited(delimiter, false),
        text: delimited(delimiter, false),
      });
    } else if (/[aic]/.test(name)) {
      const text = /^\\?\n?[ \t]*([^\n]*)/.exec(script.slice(at));
      at += text?.[0].length ?? 0;
      commands.push({ ...common, text: text?.[1] ?? '' });
    } else if (/[pdq=]/.test(name)) commands.push(common);
    else throw new Failure(`-e expression #1, char ${at}: unknown command: \`${name}'`);
  }
  return commands;
}
