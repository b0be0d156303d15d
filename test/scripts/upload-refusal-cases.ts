import { expect } from 'vitest';
import type { Bench, Case } from './cases.ts';
import { upload } from './transfer-protocol.ts';
import { keepsOld, newFolder, oldFile } from './upload-cases.ts';

const DATA = Buffer.from('new content\n');
const MORE_THAN_DISK = Buffer.alloc(200 * 1024, 'x');
const LARGE = Buffer.alloc(16 * 1024 * 1024 + 1, 'x');

/** Destinations that cannot be written, and disks that fail. */
export const UPLOAD_REFUSAL_CASES: readonly Case[] = [
  {
    name: 'refuses a directory',
    run: async (bench) => {
      const { folder } = await newFolder(bench);
      expect(await upload(bench, { destination: folder, data: DATA })).toEqual({
        kind: 'refused',
        why: 'TARGET_IS_A_DIRECTORY',
        text: folder,
        stage: 'before data',
      });
      expect(await bench.machine.files.list(folder)).toEqual([]);
    },
  },
  {
    name: 'refuses a symlink to a directory',
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      await bench.machine.files.mkdir(`${folder}/target`);
      await bench.machine.files.symlink(`${folder}/target`, file);
      expect(await upload(bench, { destination: file, data: DATA })).toMatchObject({
        why: 'TARGET_IS_A_DIRECTORY',
      });
      expect(await bench.machine.files.list(`${folder}/target`)).toEqual([]);
    },
  },
  {
    name: 'refuses a fifo',
    needs: ['fifos'],
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      await bench.machine.files.fifo(file);
      expect(await upload(bench, { destination: file, data: DATA })).toMatchObject({
        why: 'NOT_A_REGULAR_FILE',
        stage: 'before data',
      });
      expect(await bench.machine.files.list(folder)).toEqual(['file']);
    },
  },
  {
    name: 'refuses a directory that does not exist',
    run: async (bench) => {
      const { folder } = await newFolder(bench);
      const outcome = await upload(bench, { destination: `${folder}/missing/file`, data: DATA });
      expect(outcome).toMatchObject({
        why: 'DIRECTORY_NOT_FOUND',
        text: `${folder}/missing`,
        stage: 'before data',
      });
      expect(await bench.machine.files.list(folder)).toEqual([]);
    },
  },
  {
    name: 'refuses a symlink into a directory that does not exist',
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      await bench.machine.files.symlink(`${folder}/missing/file`, file);
      expect(await upload(bench, { destination: file, data: DATA })).toMatchObject({
        why: 'DIRECTORY_NOT_FOUND',
        stage: 'before data',
      });
    },
  },
  {
    name: 'names a program that is missing',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      const options = { onlyPrograms: ['head', 'readlink', 'rm', 'stat', 'wc'] };
      expect(await upload(bench, { destination: file, data: DATA, options })).toMatchObject({
        why: 'TOOL_MISSING',
        text: 'sha256sum',
      });
      expect(await bench.machine.files.list(folder)).toEqual([]);
    },
  },
  {
    name: 'refuses when the directory disappears before the data arrives',
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      const outcome = await upload(
        bench,
        { destination: file, data: DATA },
        {
          beforeData: () => bench.machine.files.remove(folder),
          beforeVerdict: async () => expect.unreachable('it must not report a digest'),
        },
      );
      expect(outcome).toMatchObject({ kind: 'refused', stage: 'after data' });
      expect(await bench.machine.files.list(folder)).toEqual([]);
    },
  },
  {
    name: 'refuses when the directory disappears before the digest is confirmed',
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      const outcome = await upload(
        bench,
        { destination: file, data: DATA },
        {
          beforeVerdict: () => bench.machine.files.remove(folder),
        },
      );
      expect(outcome).toMatchObject({ kind: 'refused', why: 'IO', stage: 'after data' });
      expect(await bench.machine.files.list(folder)).toEqual([]);
    },
  },
  {
    name: 'refuses when a directory takes the name of the file before the digest is confirmed',
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      const outcome = await upload(
        bench,
        { destination: file, data: DATA },
        {
          beforeVerdict: () => bench.machine.files.mkdir(file),
        },
      );
      expect(outcome).toMatchObject({ kind: 'refused', why: 'TARGET_IS_A_DIRECTORY', stage: 'after data' });
      expect(await bench.machine.files.list(folder)).toEqual(['file']);
      expect(await bench.machine.files.list(file)).toEqual([]);
    },
  },
  {
    name: 'leaves a file alone that another process creates meanwhile, unless it may overwrite',
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      const outcome = await upload(
        bench,
        { destination: file, data: DATA, overwrite: false },
        {
          beforeVerdict: () => bench.machine.files.write(file, 'of another process'),
        },
      );
      expect(outcome).toMatchObject({ kind: 'refused', why: 'FILE_EXISTS', stage: 'after data' });
      expect(await bench.machine.files.read(file)).toBe('of another process');
      expect(await bench.machine.files.list(folder)).toEqual(['file']);
    },
  },
  {
    name: 'publishes without overwriting where no file exists',
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      const outcome = await upload(bench, { destination: file, data: DATA, overwrite: false });
      expect(outcome).toMatchObject({ kind: 'published', replaced: false });
      expect(await bench.machine.files.read(file)).toBe(DATA.toString());
      expect(await bench.machine.files.list(folder)).toEqual(['file']);
    },
  },
  {
    name: 'keeps the old content at the limit of the file size',
    needs: ['fileSizeLimit'],
    run: (bench) =>
      keepsOld(
        bench,
        { data: MORE_THAN_DISK, options: { fileSizeLimitKiB: 64 } },
        {},
        { kind: 'refused', why: 'IO', stage: 'after data' },
      ),
  },
  ...[
    { name: 'a full disk', data: MORE_THAN_DISK },
    { name: 'a full disk with a large file', data: LARGE },
  ].map(
    ({ name, data }): Case => ({
      name: `keeps the old content on ${name}`,
      needs: ['disks'],
      run: async (bench) => {
        const { inside, outside } = await bench.machine.disk({ sizeKiB: 64 });
        await bench.machine.files.write(`${outside}/file`, 'old');
        const outcome = await upload(bench, {
          destination: `${inside}/file`,
          data,
          options: { isolated: true },
        });
        expect(outcome).toMatchObject({ kind: 'refused', why: 'FULL', stage: 'after data' });
        await expectOnlyOld(bench, outside);
      },
    }),
  ),
  {
    name: 'refuses a disk that is mounted read-only',
    needs: ['disks'],
    run: async (bench) => {
      const { inside, outside } = await bench.machine.disk({ sizeKiB: 64, readOnly: true });
      const options = { isolated: true };
      const outcome = await upload(bench, { destination: `${inside}/file`, data: DATA, options });
      expect(outcome).toMatchObject({ kind: 'refused', why: 'IO', stage: 'before data' });
      expect(await bench.machine.files.list(outside)).toEqual([]);
    },
  },
  {
    name: 'refuses when a temporary file of that name exists, and leaves it alone',
    run: async (bench) => {
      const { folder, file } = await oldFile(bench);
      const { files } = bench.machine;
      let outcome: unknown;
      await upload(
        bench,
        { destination: file, data: DATA },
        {
          beforeData: async () => {
            outcome = await upload(bench, { destination: file, data: DATA });
          },
        },
      );
      expect(outcome).toMatchObject({ kind: 'refused', why: 'IO', stage: 'before data' });
      expect(await files.read(file)).toBe(DATA.toString());
      expect(await files.list(folder)).toEqual(['file']);
    },
  },
];

async function expectOnlyOld({ machine }: Bench, folder: string): Promise<void> {
  expect(await machine.files.read(`${folder}/file`)).toBe('old');
  expect(await machine.files.list(folder)).toEqual(['file']);
}
