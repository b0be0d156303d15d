import { createHash } from 'node:crypto';
import { fromBytes } from '../kernel/bytes.ts';
import { bracket } from '../shell/pattern.ts';
import { allLines, chunksOf, eachInput, linesOf, Output } from './input.ts';
import { parseBytes, parseOptions } from './options.ts';
import { interpretEscapes } from './printf.ts';
import { type Call, Failure, type Program } from './program.ts';

/** Programs that read text and print it in another shape. */
export const textPrograms: readonly (readonly [string, Program])[] = [
  ['cat', cat],
  ['head', head],
  ['wc', wc],
  ['tr', tr],
  ['cut', cut],
  ['sort', sort],
  ['uniq', uniq],
  ['tee', tee],
  ['rev', (call) => each(call, (line) => [...line].reverse().join(''))],
  [
    'tac',
    async (call) => {
      const { lines, code } = await allLines(call, call.args);
      await call.printBytes(
        lines
          .reverse()
          .map((line) => `${line}\n`)
          .join(''),
      );
      return code;
    },
  ],
  [
    'nl',
    async (call) => {
      let number = 0;
      return each(call, (line) => (line === '' ? '' : `${String(++number).padStart(6)}\t${line}`));
    },
  ],
  ['base64', base64],
  ['md5sum', digest('md5')],
  ['sha1sum', digest('sha1')],
  ['sha256sum', digest('sha256')],
  ['sha512sum', digest('sha512')],
  ['openssl', openssl],
];

async function each(call: Call, change: (line: string) => string): Promise<number> {
  const output = new Output(call);
  const code = await eachInput(call, call.args, async (file) => {
    for await (const { text, newline } of linesOf(call, file)) await output.add(change(text) + newline);
  });
  await output.flush();
  return code;
}

async function cat(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'AeEnbstuv');
  if (!options.has('n') && !options.has('A') && !options.has('v') && !options.has('E')) {
    const output = call.process.fds.find(1)?.inode;
    let code = 0;
    const failed = await eachInput(call, options.rest, async (file, name) => {
      if (output?.kind === 'file' && file.inode === output && output.content.length > 0) {
        await call.warn(`cat: ${fromBytes(name)}: input file is output file\n`);
        code = 1;
        return;
      }
      for await (const chunk of chunksOf(call, file)) await call.write(chunk);
    });
    return Math.max(code, failed);
  }
  const visible = options.has('A') || options.has('v');
  const ends = options.has('A') || options.has('E') ? '$' : '';
  let number = 0;
  return eachInput(call, options.rest, async (file) => {
    for await (const { text, newline } of linesOf(call, file)) {
      const shown = visible ? visibleForm(text) : text;
      number += 1;
      await call.printBytes(
        `${options.has('n') ? `${String(number).padStart(6)}\t` : ''}${shown}${newline === '' ? '' : ends}${newline}`,
      );
    }
  });
}

/** Control characters and those above ASCII as `cat -v` shows them. */
function visibleForm(text: string): string {
  return [...text]
    .map((char) => {
      const code = char.charCodeAt(0);
      const low = code & 127;
      const shown =
        low < 32 ? `^${String.fromCharCode(low + 64)}` : low === 127 ? '^?' : String.fromCharCode(low);
      return code > 127 ? `M-${shown}` : shown;
    })
    .join('');
}

async function head(call: Call): Promise<number> {
  const args = call.args.map((arg) => (/^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg));
  const options = parseOptions(args, 'n:c:qv', { long: { lines: 'n', bytes: 'c', quiet: 'q' } });
  const bytes = options.value('c');
  const lines = options.value('n') ?? '10';
  const limit = parseBytes((bytes ?? lines).replace(/^-/, ''));
  if (limit === undefined)
    throw new Failure(`invalid number of ${bytes === undefined ? 'lines' : 'bytes'}: '${bytes ?? lines}'`);
  const fromEnd = (bytes ?? lines).startsWith('-');
  const titles = options.rest.length > 1 && !options.has('q');
  let index = 0;
  return eachInput(call, options.rest, async (file, name) => {
    if (titles) await call.printBytes(`${index++ > 0 ? '\n' : ''}==> ${name} <==\n`);
    if (fromEnd) {
      const parts: string[] = [];
      if (bytes === undefined)
        for await (const { text, newline } of linesOf(call, file)) parts.push(text + newline);
      else for await (const chunk of chunksOf(call, file)) parts.push(...chunk.toString('latin1'));
      await call.printBytes(parts.slice(0, Math.max(0, parts.length - limit)).join(''));
      return;
    }
    let rest = limit;
    while (rest > 0) {
      const chunk = await file.read(call.process, bytes === undefined ? 4096 : Math.min(rest, 65_536));
      if (chunk.length === 0) return;
      let end = chunk.length;
      if (bytes === undefined) {
        let at = -1;
        do at = chunk.indexOf(10, at + 1);
        while (at >= 0 && --rest > 0);
        if (at >= 0) end = at + 1;
      } else rest -= chunk.length;
      // As GNU head does where it can: what was read in excess goes back.
      if (end < chunk.length) file.unread(chunk.subarray(end));
      await call.write(chunk.subarray(0, end));
    }
  });
}

async function wc(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'lwcm', {
    long: { lines: 'l', words: 'w', bytes: 'c', chars: 'm' },
  });
  const all = !['l', 'w', 'c', 'm'].some((letter) => options.has(letter));
  const rows: { counts: number[]; name: string }[] = [];
  const code = await eachInput(call, options.rest, async (file, name) => {
    let [lines, words, bytes, chars] = [0, 0, 0, 0];
    let inWord = false;
    for await (const chunk of chunksOf(call, file)) {
      bytes += chunk.length;
      if (!all && options.has('c') && !options.has('l') && !options.has('w')) continue;
      for (const byte of chunk) {
        if (byte === 10) lines += 1;
        if ((byte & 0xc0) !== 0x80) chars += 1;
        const blank = byte === 32 || (byte >= 9 && byte <= 13);
        if (!blank && !inWord) words += 1;
        inWord = !blank;
      }
    }
    const counts = [
      ...(all || options.has('l') ? [lines] : []),
      ...(all || options.has('w') ? [words] : []),
      ...(options.has('m') ? [chars] : []),
      ...(all || options.has('c') ? [bytes] : []),
    ];
    rows.push({ counts, name: options.rest.length === 0 ? '' : name });
  });
  if (rows.length > 1) {
    const sums = (rows[0]?.counts ?? []).map((_, column) =>
      rows.reduce((sum, { counts }) => sum + (counts[column] ?? 0), 0),
    );
    rows.push({ counts: sums, name: 'total' });
  }
  const single = rows.length === 1 && rows[0]?.counts.length === 1;
  const width = single
    ? 1
    : rows[0]?.name === ''
      ? 7
      : Math.max(...rows.flatMap(({ counts }) => counts.map((count) => String(count).length)));
  for (const { counts, name } of rows)
    await call.printBytes(
      `${counts.map((count) => String(count).padStart(width)).join(' ')}${name === '' ? '' : ` ${name}`}\n`,
    );
  return code;
}

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

async function tr(call: Call): Promise<number> {
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

async function cut(call: Call): Promise<number> {
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

async function sort(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'bcdfghik:mno:rst:uVz', {
    long: {
      reverse: 'r',
      numeric: 'n',
      unique: 'u',
      key: 'k',
      'numeric-sort': 'n',
      'human-numeric-sort': 'h',
    },
  });
  const { lines, code } = await allLines(call, options.rest);
  const keys = options.values('k').map((spec) => {
    const [, from = '1', flags = '', to, more = ''] =
      /^(\d+)(?:\.\d+)?([a-zA-Z]*)(?:,(\d+)(?:\.\d+)?([a-zA-Z]*))?$/.exec(spec) ?? [];
    return {
      from: Number(from),
      to: to === undefined ? Number.POSITIVE_INFINITY : Number(to),
      flags: flags + more,
    };
  });
  const separator = options.value('t');
  const letters = 'bdfghnrV'
    .split('')
    .filter((letter) => options.has(letter))
    .join('');
  const fieldsOf = (line: string) =>
    separator === undefined ? (line.match(/\s*\S+/g) ?? []) : line.split(separator);
  const compare = (a: string, b: string) => {
    for (const { from, to, flags } of keys.length > 0 ? keys : [{ from: 0, to: 0, flags: '' }]) {
      const pick = (line: string) =>
        from === 0
          ? line
          : fieldsOf(line)
              .slice(from - 1, to)
              .join(separator ?? '');
      const used = flags === '' ? letters : flags;
      const order = compareKeys(pick(a), pick(b), used);
      if (order !== 0) return used.includes('r') ? -order : order;
    }
    if (options.has('s') || options.has('u')) return 0;
    const last = a < b ? -1 : a > b ? 1 : 0;
    return options.has('r') ? -last : last;
  };
  if (options.has('c'))
    return lines.every((line, index) => index === 0 || compare(lines[index - 1] ?? '', line) <= 0) ? 0 : 1;
  const sorted = [...lines].sort(compare);
  const shown = options.has('u')
    ? sorted.filter((line, index) => index === 0 || compare(sorted[index - 1] ?? '', line) !== 0)
    : sorted;
  const text = shown.map((line) => `${line}\n`).join('');
  const target = options.value('o');
  if (target === undefined) await call.printBytes(text);
  else {
    const file = (await call.sys.open(target, { writes: true, create: true, truncate: true })).retain();
    await file.write(call.process, Buffer.from(text, 'latin1'));
    file.release();
  }
  return code === 0 ? 0 : 2;
}

function compareKeys(a: string, b: string, flags: string): number {
  if (/[ngh]/.test(flags)) {
    const number = (text: string) => {
      const [, digits = '0', unit = ''] = /^\s*(-?\d*\.?\d*)([KMGT]?)/.exec(text) ?? [];
      return (Number(digits) || 0) * (flags.includes('h') ? 1024 ** ' KMGT'.indexOf(unit || ' ') : 1);
    };
    return number(a) - number(b);
  }
  const clean = (text: string) => {
    const trimmed = /[b]/.test(flags) ? text.trimStart() : text;
    return flags.includes('f') ? trimmed.toUpperCase() : trimmed;
  };
  const [left, right] = [clean(a), clean(b)];
  if (flags.includes('V')) return left.localeCompare(right, 'en', { numeric: true });
  return left < right ? -1 : left > right ? 1 : 0;
}

async function uniq(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'cdui', { long: { count: 'c', repeated: 'd', unique: 'u' } });
  const output = new Output(call);
  let current: string | undefined;
  let count = 0;
  const finish = async () => {
    if (current === undefined || (options.has('d') && count < 2) || (options.has('u') && count > 1)) return;
    await output.add(`${options.has('c') ? `${String(count).padStart(7)} ` : ''}${current}\n`);
  };
  const code = await eachInput(call, options.rest.slice(0, 1), async (file) => {
    for await (const { text } of linesOf(call, file)) {
      const same = options.has('i') ? text.toLowerCase() === current?.toLowerCase() : text === current;
      if (same) count += 1;
      else {
        await finish();
        current = text;
        count = 1;
      }
    }
  });
  await finish();
  await output.flush();
  return code;
}

async function tee(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'ai');
  const append = options.has('a');
  const files = [];
  for (const name of options.rest)
    files.push(
      (await call.sys.open(name, { writes: true, create: true, truncate: !append, append })).retain(),
    );
  for (let chunk = await call.read(); chunk.length > 0; chunk = await call.read()) {
    for (const file of files) await file.write(call.process, chunk);
    await call.write(chunk);
  }
  for (const file of files) file.release();
  return 0;
}

async function base64(call: Call): Promise<number> {
  const options = parseOptions(call.args, 'diw:', { long: { decode: 'd', wrap: 'w' } });
  const bytes = await call.readInput(options.rest[0] ?? '-');
  if (options.has('d')) {
    await call.write(Buffer.from(bytes.toString('latin1'), 'base64'));
    return 0;
  }
  const width = Number(options.value('w') ?? 76);
  const text = bytes.toString('base64');
  await call.print(width === 0 ? text : text.replaceAll(new RegExp(`.{1,${width}}`, 'g'), '$&\n'));
  return 0;
}

function digest(algorithm: string): Program {
  return async (call) => {
    const options = parseOptions(call.args, 'bct', { long: { check: 'c', binary: 'b' } });
    if (options.has('c')) return check(call, algorithm, options.rest);
    return eachInput(call, options.rest, async (file, name) => {
      const hash = createHash(algorithm);
      for await (const chunk of chunksOf(call, file)) hash.update(chunk);
      await call.printBytes(`${hash.digest('hex')}  ${name}\n`);
    });
  };
}

async function check(call: Call, algorithm: string, names: readonly string[]): Promise<number> {
  const { lines } = await allLines(call, names);
  let code = 0;
  for (const line of lines) {
    const [, expected = '', name = ''] = /^([0-9a-f]+) [ *](.*)$/.exec(line) ?? [];
    const right =
      createHash(algorithm)
        .update(await call.sys.readFile(name))
        .digest('hex') === expected;
    await call.printBytes(`${name}: ${right ? 'OK' : 'FAILED'}\n`);
    if (!right) code = 1;
  }
  return code;
}

/** `openssl dgst -sha256 -r`. */
async function openssl(call: Call): Promise<number> {
  const [command, ...rest] = call.args;
  const algorithm = rest.map((arg) => /^-(md5|sha1|sha256|sha512)$/.exec(arg)?.[1]).find(Boolean);
  if (command !== 'dgst' || algorithm === undefined)
    throw new Failure(`the simulator has no 'openssl ${command ?? ''}' but dgst`);
  const names = rest.filter((arg) => !arg.startsWith('-'));
  return eachInput(call, names, async (file, name) => {
    const hash = createHash(algorithm);
    for await (const chunk of chunksOf(call, file)) hash.update(chunk);
    const hex = hash.digest('hex');
    const label = name === '-' ? 'stdin' : name;
    await call.printBytes(
      rest.includes('-r') ? `${hex} *${label}\n` : `${algorithm.toUpperCase()}(${label})= ${hex}\n`,
    );
  });
}
