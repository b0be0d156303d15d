import { expect } from 'vitest';
import type { Bench, Case } from './cases.ts';
import { download, sha256 } from './transfer-protocol.ts';
import { newFolder } from './upload-cases.ts';

const DATA = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7) % 256));
const LARGE = Buffer.alloc(16 * 1024 * 1024 + 1, 'proxmox ');

export const DOWNLOAD_CASES: readonly Case[] = [
  ...[
    { name: 'a binary file', data: DATA },
    { name: 'an empty file', data: Buffer.alloc(0) },
    { name: 'a large file', data: LARGE },
  ].map(
    ({ name, data }): Case => ({
      name: `sends ${name} with size, mode and digest`,
      run: async (bench) => {
        const { file } = await newFolder(bench);
        await bench.machine.files.write(file, data, 0o640);
        const outcome = await download(bench, file);
        expect(outcome).toMatchObject({
          kind: 'sent',
          source: file,
          size: data.length,
          mode: '640',
          sha256: sha256(data),
        });
        expect('data' in outcome && outcome.data.equals(data)).toBe(true);
      },
    }),
  ),
  {
    name: 'sends the target of a symlink, and names it',
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      await bench.machine.files.write(file, DATA);
      await bench.machine.files.symlink(file, `${folder}/link`);
      expect(await download(bench, `${folder}/link`)).toMatchObject({ source: file, data: DATA });
    },
  },
  {
    name: 'handles a name with spaces, quotes and newlines',
    run: async (bench) => {
      const file = `${await bench.machine.folder()}/a 'b' "c" $(d)\n-e`;
      await bench.machine.files.write(file, DATA);
      expect(await download(bench, file)).toMatchObject({ source: file, data: DATA });
    },
  },
  {
    name: 'sends as many bytes as announced when the file grows meanwhile',
    run: async (bench) => {
      const { file } = await newFolder(bench);
      await bench.machine.files.write(file, LARGE);
      const outcome = await download(bench, file, {
        afterReady: () => bench.machine.files.append(file, DATA),
      });
      expect(outcome).toMatchObject({ kind: 'sent', size: LARGE.length, sha256: sha256(LARGE) });
    },
  },
  {
    name: 'hashes a large file during the transfer without openssl, even if it grows',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const { file } = await newFolder(bench);
      const options = { onlyPrograms: ['head', 'sha256sum', 'readlink', 'wc', 'stat', 'cat'] };
      await bench.machine.files.write(file, LARGE);
      expect(await download(bench, file, { options })).toMatchObject({ kind: 'sent', sha256: sha256(LARGE) });
      const outcome = await download(bench, file, {
        options,
        afterReady: () => bench.machine.files.append(file, DATA),
      });
      expect(outcome).toMatchObject({ kind: 'sent', size: LARGE.length, sha256: sha256(LARGE) });
    },
  },
  {
    name: 'sends a file that is exactly as large as the limit',
    run: async (bench) => {
      const { file } = await newFolder(bench);
      await bench.machine.files.write(file, DATA);
      expect(await download(bench, file, { limit: DATA.length })).toMatchObject({ kind: 'sent' });
    },
  },
  {
    name: 'refuses a file above the limit',
    run: async (bench) => {
      const { file } = await newFolder(bench);
      await bench.machine.files.write(file, DATA);
      await refuses(bench, file, 'FILE_TOO_LARGE', String(DATA.length), DATA.length - 1);
    },
  },
  {
    name: 'refuses a file that does not exist',
    run: async (bench) => {
      const { file } = await newFolder(bench);
      await refuses(bench, file, 'SOURCE_NOT_FOUND', file);
    },
  },
  {
    name: 'refuses a symlink to a file that does not exist',
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      await bench.machine.files.symlink(`${folder}/missing`, file);
      await refuses(bench, file, 'SOURCE_NOT_FOUND', file);
    },
  },
  {
    name: 'refuses a directory',
    run: async (bench) => {
      const { folder } = await newFolder(bench);
      await refuses(bench, folder, 'IS_A_DIRECTORY', folder);
    },
  },
  {
    name: 'refuses a fifo',
    needs: ['fifos'],
    run: async (bench) => {
      const { file } = await newFolder(bench);
      await bench.machine.files.fifo(file);
      await refuses(bench, file, 'NOT_A_REGULAR_FILE', file);
    },
  },
  {
    name: 'refuses a file that the kernel generates',
    run: (bench) => refuses(bench, '/proc/self/status', 'PSEUDO_FILE', '/proc/self/status'),
  },
  {
    name: 'sends size and mode where stat knows no format',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const { machine } = bench;
      const programs = await machine.folder();
      await machine.files.write(`${programs}/stat`, '#!/bin/sh\nexit 1\n', 0o755);
      const file = `${await machine.folder()}/a file`;
      await machine.files.write(file, 'content\n', 0o2750);
      const sent = await download(bench, file, { options: { programs } });
      expect(sent).toMatchObject({ kind: 'sent', size: 8, mode: '2750', source: file });
    },
  },
  {
    name: 'names a program that is missing',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const options = { onlyPrograms: ['head', 'sha256sum', 'readlink', 'wc'] };
      expect(await download(bench, '/etc/passwd', { options })).toMatchObject({
        why: 'TOOL_MISSING',
        text: 'stat',
      });
    },
  },
];

async function refuses(bench: Bench, file: string, why: string, text: string, limit = 1e9): Promise<void> {
  expect(await download(bench, file, { limit })).toEqual({
    kind: 'refused',
    why,
    text,
    stage: 'before data',
  });
}
