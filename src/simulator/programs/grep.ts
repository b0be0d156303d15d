import { posix } from 'node:path';
import { toBytes } from '../kernel/bytes.ts';
import { eachInput, type Line, linesOf, Output } from './input.ts';
import { parseOptions } from './options.ts';
import { type Call, Failure } from './program.ts';
import { regexSource } from './regex.ts';

/** grep with the options of GNU and busybox. */
export async function grep(call: Call): Promise<number> {
  const extended = call.name === 'egrep' ? 'E' : call.name === 'fgrep' ? 'F' : '';
  const options = parseOptions(call.args, 'acEFGhHiIlLnoqrRsvwxPe:f:m:A:B:C:z', {
    code: 2,
    long: {
      count: 'c',
      'extended-regexp': 'E',
      'fixed-strings': 'F',
      'ignore-case': 'i',
      'files-with-matches': 'l',
      'line-number': 'n',
      'only-matching': 'o',
      quiet: 'q',
      silent: 'q',
      recursive: 'r',
      'no-messages': 's',
      'invert-match': 'v',
      'word-regexp': 'w',
      'line-regexp': 'x',
      text: 'a',
      regexp: 'e',
      color: 'I',
      'max-count': 'm',
      'no-filename': 'h',
      'with-filename': 'H',
      'after-context': 'A',
      'before-context': 'B',
      context: 'C',
    },
  });
  const rest = [...options.rest];
  const given = [...options.values('e')];
  for (const name of options.values('f'))
    given.push((await call.readInput(name)).toString('latin1').replace(/\n$/, ''));
  if (given.length === 0) {
    const [first] = rest;
    if (first === undefined) throw new Failure('no pattern given', 2);
    given.push(rest.shift() ?? '');
  }
  const fixed = options.has('F') || extended === 'F';
  const source = given
    .flatMap((each) => each.split('\n'))
    .map((each) =>
      fixed
        ? each.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
        : regexSource(each, options.has('E') || options.has('P') || extended === 'E'),
    )
    .join('|');
  const bounded = options.has('x')
    ? `^(?:${source})$`
    : options.has('w')
      ? `(?<!\\w)(?:${source})(?!\\w)`
      : source;
  const pattern = new RegExp(bounded, options.has('i') ? 'gi' : 'g');
  const recursive = options.has('r') || options.has('R');
  const names = recursive ? await below(call, rest.length === 0 ? ['.'] : rest) : rest;
  const named = !options.has('h') && (options.has('H') || names.length > 1 || recursive);
  const limit = Number(options.value('m') ?? Number.POSITIVE_INFINITY);
  const context = (letter: string) => Number(options.value(letter) ?? options.value('C') ?? 0);
  const [behind, before] = [context('A'), context('B')];
  let found = false;
  const output = new Output(call);
  const quiet = options.has('s') ? silenced(call) : call;
  const failed = await eachInput(quiet, names, async (file, name) => {
    const shown = name === '-' ? '(standard input)' : name;
    let count = 0;
    let number = 0;
    let trailing = 0;
    let lastPrinted = 0;
    const held: { line: Line; number: number }[] = [];
    const print = async (text: string, at: number, mark: string) => {
      if (lastPrinted > 0 && at > lastPrinted + 1 && behind + before > 0) await output.add('--\n');
      lastPrinted = at;
      await output.add(`${named ? shown + mark : ''}${options.has('n') ? `${at}${mark}` : ''}${text}\n`);
    };
    for await (const line of linesOf(call, file, options.has('z') ? '\0' : '\n')) {
      number += 1;
      pattern.lastIndex = 0;
      if (pattern.test(line.text) === options.has('v')) {
        if (trailing > 0) {
          trailing -= 1;
          await print(line.text, number, '-');
          if (trailing === 0 && count >= limit) break;
        } else if (before > 0) {
          held.push({ line, number });
          if (held.length > before) held.shift();
        }
        continue;
      }
      // The lines after the last match are printed up to the next one.
      if (count >= limit) break;
      found = true;
      count += 1;
      if (options.has('q')) return;
      if (!options.has('l') && !options.has('L') && !options.has('c')) {
        for (const each of held.splice(0)) await print(each.line.text, each.number, '-');
        trailing = behind;
        if (options.has('o')) {
          pattern.lastIndex = 0;
          if (!options.has('v'))
            for (const [hit] of line.text.matchAll(pattern)) if (hit !== '') await print(hit, number, ':');
        } else await print(line.text, number, ':');
      }
      if (options.has('l') || (count >= limit && trailing === 0)) break;
    }
    if (options.has('l') && count > 0) await output.add(`${shown}\n`);
    if (options.has('L') && count === 0) await output.add(`${shown}\n`);
    if (options.has('c')) await output.add(`${named ? `${shown}:` : ''}${count}\n`);
  });
  await output.flush();
  if (found && options.has('q')) return 0;
  return failed !== 0 ? 2 : found ? 0 : 1;
}

/** The same call without messages. */
function silenced(call: Call): Call {
  return Object.create(call, { warn: { value: async () => {} } });
}

async function below(call: Call, names: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const name of names) {
    const inode = await call.sys.find(name, names.length > 0);
    if (inode?.kind !== 'directory') files.push(name);
    else {
      const entries = (await call.sys.list(name)).map((entry) => posix.join(name, toBytes(entry)));
      for (const entry of entries) {
        const kind = (await call.sys.find(entry, false))?.kind;
        if (kind === 'directory') files.push(...(await below(call, [entry])));
        else if (kind === 'file') files.push(entry);
      }
    }
  }
  return files;
}
