import { fromBytes } from '../kernel/bytes.ts';
import { cut, tr } from './characters.ts';
import { base64, digest, openssl } from './digests.ts';
import { allLines, chunksOf, eachInput, linesOf, Output } from './input.ts';
import { parseBytes, parseOptions } from './options.ts';
import { type Call, Failure, type Program } from './program.ts';
import { sort, uniq } from './sort.ts';

/** Programs that read, transform and print text. */
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

/** Control characters and non-ASCII characters, in the notation of `cat -v`. */
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
  // `-5` is the old form of `-n 5`, as the first argument only: `-n -5` has another meaning.
  const [first = '', ...others] = call.args;
  const args = /^-\d+$/.test(first) ? [`-n${first.slice(1)}`, ...others] : call.args;
  const options = parseOptions(args, 'n:c:qv', { long: { lines: 'n', bytes: 'c', quiet: 'q' } });
  const bytes = options.value('c');
  const lines = options.value('n') ?? '10';
  const limit = parseBytes((bytes ?? lines).replace(/^-/, ''));
  if (limit === undefined)
    throw new Failure(`invalid number of ${bytes === undefined ? 'lines' : 'bytes'}: '${bytes ?? lines}'`);
  const fromEnd = (bytes ?? lines).startsWith('-');
  const titles = (options.rest.length > 1 || options.has('v')) && !options.has('q');
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
      // Like GNU head: bytes that were read in excess are returned.
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
