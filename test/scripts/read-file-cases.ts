import { expect } from 'vitest';
import type { Bench, Case } from './cases.ts';
import { NONCE } from './protocol.ts';
import { Reader, sha256 } from './transfer-protocol.ts';
import { newFolder } from './upload-cases.ts';

const LINES = Array.from({ length: 2_000 }, (_, index) => `line ${index + 1}\n`);
const TEXT = LINES.join('');

async function read(
  bench: Bench,
  file: string,
  { unit = 'line', begin = 1, most = 100, context = 0, hashed = 1_000_000 },
) {
  const args = [NONCE, file, unit, String(begin), String(most), String(context), String(hashed)];
  const program = bench.machine.start(bench.scripts.readFile, args);
  const reader = new Reader(program);
  try {
    const ready = await reader.message('before data');
    if (ready.kind !== 'said') return ready;
    const [size, mode, , , , , start, before] = ready.fields;
    const path = (await reader.data()).toString();
    const data = (await reader.data()).toString();
    const done = await reader.message('after data');
    if (done.kind !== 'said') return done;
    const [hash, lines] = done.fields;
    return { kind: 'sent', size, mode, start, before, path, data, hash, lines };
  } finally {
    program.endInput();
    await program.closed;
  }
}

export const READ_FILE_CASES: readonly Case[] = [
  ...(
    [
      ['a line', { begin: 1_500, most: 20 }, 1_499],
      ['the first line', { begin: 1, most: 20 }, 0],
      ['a line from the end', { begin: -3, most: 20 }, 1_997],
      ['more lines from the end than there are', { begin: -9_999, most: 20 }, 0],
    ] as const
  ).map(
    ([what, range, line]): Case => ({
      name: `sends the file from ${what} on, with digest and number of lines`,
      run: async (bench) => {
        const { file } = await newFolder(bench);
        await bench.machine.files.write(file, TEXT, 0o640);
        const start = LINES.slice(0, line).join('').length;
        expect(await read(bench, file, range)).toEqual({
          kind: 'sent',
          size: String(TEXT.length),
          mode: '640',
          start: String(start),
          before: '0',
          path: file,
          data: TEXT.slice(start, start + range.most),
          hash: sha256(Buffer.from(TEXT)),
          lines: '2000',
        });
      },
    }),
  ),
  ...([9_000, 4_096, 1, -100] as const).map(
    (begin): Case => ({
      name: `sends bytes from ${begin} on, with what precedes them`,
      run: async (bench) => {
        const { file } = await newFolder(bench);
        await bench.machine.files.write(file, TEXT);
        const start = begin < 0 ? TEXT.length + begin : begin;
        const before = Math.min(start, 50);
        expect(await read(bench, file, { unit: 'byte', begin, most: 30, context: 50 })).toMatchObject({
          start: String(start),
          before: String(before),
          data: TEXT.slice(start - before, start + 30),
        });
      },
    }),
  ),
  {
    name: 'finds a line from the end that begins a megabyte before it, or many lines',
    run: async (bench) => {
      const { file } = await newFolder(bench);
      const long = `first\n${'x'.repeat(1_200_000)}\n`;
      await bench.machine.files.write(file, long);
      expect(await read(bench, file, { begin: -1, most: 9 })).toMatchObject({
        start: '6',
        data: 'x'.repeat(9),
      });
      await bench.machine.files.write(file, `${long}last`);
      expect(await read(bench, file, { begin: -2, most: 9 })).toMatchObject({
        start: '6',
        data: 'x'.repeat(9),
      });
      expect(await read(bench, file, { begin: -3, most: 9 })).toMatchObject({
        start: '0',
        data: 'first\nxxx',
      });
      const lines = Array.from({ length: 20_000 }, (_, index) => `${index}`.padStart(99, '0')).join('\n');
      await bench.machine.files.write(file, `${lines}\n`);
      expect(await read(bench, file, { begin: -15_000, most: 3 })).toMatchObject({ start: '500000' });
    },
  },
  {
    name: 'counts a last line without a newline',
    run: async (bench) => {
      const { file } = await newFolder(bench);
      await bench.machine.files.write(file, 'a\nb');
      expect(await read(bench, file, {})).toMatchObject({ lines: '2', data: 'a\nb' });
      await bench.machine.files.write(file, '');
      expect(await read(bench, file, {})).toMatchObject({ lines: '0', data: '' });
    },
  },
  {
    name: 'sends nothing after the end',
    run: async (bench) => {
      const { file } = await newFolder(bench);
      await bench.machine.files.write(file, 'abc');
      expect(await read(bench, file, { unit: 'byte', begin: 99 })).toMatchObject({ start: '3', data: '' });
    },
  },
  {
    name: 'does not read the whole of a file above the limit',
    run: async (bench) => {
      const { file } = await newFolder(bench);
      await bench.machine.files.write(file, 'abc');
      expect(await read(bench, file, { hashed: 2 })).toMatchObject({ data: 'abc', hash: '-', lines: '-' });
    },
  },
  ...(['//proc', '/./proc', 'link'] as const).map(
    (folder): Case => ({
      name: `refuses a virtual file in ${folder}, whose size is 0`,
      run: async (bench) => {
        const place = await newFolder(bench);
        await bench.machine.files.symlink('/proc', `${place.folder}/link`);
        const file = `${folder.replace(/^link/, `${place.folder}/link`)}/meminfo`;
        expect(await read(bench, file, {})).toMatchObject({ kind: 'refused', why: 'PSEUDO_FILE' });
      },
    }),
  ),
  {
    name: 'refuses a fifo without opening it',
    needs: ['fifos'],
    run: async (bench) => {
      const { file } = await newFolder(bench);
      await bench.machine.files.fifo(file);
      expect(await read(bench, file, {})).toMatchObject({ kind: 'refused', why: 'NOT_A_REGULAR_FILE' });
    },
  },
];
