import { bracket } from '../shell/pattern.ts';
import { chunksOf, eachInput, linesOf, Output } from './input.ts';
import { parseOptions } from './options.ts';
import { interpretEscapes } from './printf.ts';
import { type Call, Failure } from './program.ts';

function characters(text: string): string[] {
  const source = interpretEscapes(text.replaceAll(/\\(?=[0-7])/g, '\\'), 'format').bytes;
  const list: string[] = [];
  for (let at = 0; at < source.length; at += 1) {
    const named = /^\[:(\w+):\]/.exec(source.slice(at));
    if (named) {
      const set = bracket(`[${named[0]}]`, 0);
      const expression = new RegExp(`^${set?.source ?? '(?!)'}$`);
      for (let code = 0; code < 256; code += 1)
        if (expression.test(String.fromCharCode(code))) list.push(String.fromCharCode(code));
      at += named[0].length - 1;
      continue;
    }
    const first = source.charCodeAt(at);
    if (source[at + 1] === '-' && at + 2 < source.length) {
      for (let code = first; code <= source.charCodeAt(at + 2); code += 1)
        list.push(String.fromCharCode(code));
      at += 2;
    } else list.push(source[at] ?? '');
  }
  return list;
}

export async function tr(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'cCdst', {
    long: { delete: 'd', 'squeeze-repeats': 's', complement: 'c' },
  });
  const [one = '', two] = options.rest;
  let from = characters(one);
  if (options.has('c') || options.has('C')) {
    const listed = new Set(from);
    from = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter(
      (char) => !listed.has(char),
    );
  }
  const to = two === undefined ? [] : characters(two);
  if (two === undefined && !options.has('d') && !options.has('s'))
    throw new Failure(`missing operand after '${one}'`);
  const table = new Map<string, string>();
  if (!options.has('d'))
    for (const [index, char] of from.entries())
      if (to.length > 0) table.set(char, to[index] ?? to.at(-1) ?? '');
  const deleted = new Set(options.has('d') ? from : []);
  const squeezed = new Set(options.has('s') ? (to.length > 0 ? to : from) : []);
  let last = '';
  return eachInput(call, [], async (file) => {
    for await (const chunk of chunksOf(call, file)) {
      let out = '';
      for (const char of chunk.toString('latin1')) {
        if (deleted.has(char)) continue;
        const next = table.get(char) ?? char;
        if (squeezed.has(next) && next === last) continue;
        out += next;
        last = next;
      }
      await call.printBytes(out);
    }
  });
}

export async function cut(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'b:c:d:f:s', {
    long: { delimiter: 'd', fields: 'f', 'only-delimited': 's', characters: 'c', bytes: 'b' },
  });
  const list = options.value('f') ?? options.value('c') ?? options.value('b');
  if (list === undefined) throw new Failure('you must specify a list of bytes, characters, or fields');
  const ranges = list.split(',').map((part) => {
    const [, from = '', dash = '', to = ''] = /^(\d*)(-?)(\d*)$/.exec(part) ?? [];
    return {
      from: Number(from || 1),
      to: dash === '' ? Number(from) : to === '' ? Number.POSITIVE_INFINITY : Number(to),
    };
  });
  const chosen = (index: number) => ranges.some(({ from, to }) => index + 1 >= from && index + 1 <= to);
  const delimiter = options.value('d') ?? '\t';
  const output = new Output(call);
  const code = await eachInput(call, options.rest, async (file) => {
    for await (const { text } of linesOf(call, file)) {
      if (options.value('f') === undefined)
        await output.add(`${[...text].filter((_, index) => chosen(index)).join('')}\n`);
      else if (!text.includes(delimiter)) await output.add(options.has('s') ? '' : `${text}\n`);
      else
        await output.add(
          `${text
            .split(delimiter)
            .filter((_, index) => chosen(index))
            .join(delimiter)}\n`,
        );
    }
  });
  await output.flush();
  return code;
}
