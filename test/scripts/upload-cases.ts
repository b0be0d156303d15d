import { expect } from 'vitest';
import { until } from '../rig/until.ts';
import type { Bench, Case } from './cases.ts';
import {
  PART,
  sha256,
  type UploadOutcome,
  type UploadRequest,
  type UploadSteps,
  upload,
} from './transfer-protocol.ts';

const OLD = 'old content\n';
const DATA = Buffer.from('new content\n\0with a NUL, no final newline');
/** Larger than the size from which the digest is computed while the data arrives. */
const LARGE = Buffer.alloc(16 * 1024 * 1024 + 1, 'proxmox ');
const WITHOUT_OPENSSL = [
  'cat',
  'chmod',
  'chown',
  'head',
  'ln',
  'mv',
  'readlink',
  'rm',
  'sha256sum',
  'sleep',
  'stat',
  'wc',
];

export const UPLOAD_CASES: readonly Case[] = [
  {
    name: 'publishes a new file',
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      const outcome = await upload(bench, { destination: file, data: DATA });
      expect(outcome).toEqual(published(file, DATA, { mode: '644', replaced: false }));
      expect(await bench.machine.files.read(file)).toBe(DATA.toString());
      expect(await bench.machine.files.list(folder)).toEqual(['file']);
    },
  },
  {
    name: 'publishes a new file with the mode that the sender tells for one',
    run: async (bench) => {
      const { file } = await newFolder(bench);
      const outcome = await upload(bench, { destination: file, data: DATA, newMode: '600' });
      expect(outcome).toMatchObject({ kind: 'published', mode: '600' });
      expect(await bench.machine.files.mode(file)).toBe('600');
    },
  },
  {
    name: 'replaces a file and keeps its mode',
    run: async (bench) => {
      const { folder, file } = await oldFile(bench, 0o640);
      const outcome = await upload(bench, { destination: file, data: DATA });
      expect(outcome).toEqual(published(file, DATA, { mode: '640', replaced: true }));
      expect(await bench.machine.files.read(file)).toBe(DATA.toString());
      expect(await bench.machine.files.list(folder)).toEqual(['file']);
    },
  },
  {
    name: 'sets the mode that is asked for',
    run: async (bench) => {
      const { file } = await oldFile(bench, 0o640);
      const outcome = await upload(bench, { destination: file, data: DATA, mode: '0751' });
      expect(outcome).toMatchObject({ kind: 'published', mode: '751' });
      expect(await bench.machine.files.mode(file)).toBe('751');
    },
  },
  {
    name: 'publishes an empty file',
    run: async (bench) => {
      const { file } = await oldFile(bench);
      const empty = Buffer.alloc(0);
      expect(await upload(bench, { destination: file, data: empty })).toMatchObject({
        kind: 'published',
        size: 0,
      });
      expect(await bench.machine.files.read(file)).toBe('');
    },
  },
  {
    name: 'handles a name with spaces, quotes and newlines',
    run: async (bench) => {
      const file = `${await bench.machine.folder()}/a 'b' "c" $(d)\n-e`;
      expect(await upload(bench, { destination: file, data: DATA })).toMatchObject({ destination: file });
      expect(await bench.machine.files.read(file)).toBe(DATA.toString());
    },
  },
  {
    name: 'writes to the target of a symlink',
    run: async (bench) => {
      const { folder, file } = await oldFile(bench);
      await bench.machine.files.symlink(file, `${folder}/link`);
      const outcome = await upload(bench, { destination: `${folder}/link`, data: DATA });
      expect(outcome).toMatchObject({ kind: 'published', destination: file, replaced: true });
      expect(await bench.machine.files.read(file)).toBe(DATA.toString());
      expect(await bench.machine.files.isSymlink(`${folder}/link`)).toBe(true);
    },
  },
  {
    name: 'keeps the temporary file private, and the old content until the digest is confirmed',
    run: async (bench) => {
      const { folder, file } = await oldFile(bench);
      const { files } = bench.machine;
      let looked = false;
      await upload(
        bench,
        { destination: file, data: DATA },
        {
          beforeData: async () => expect(await files.mode(`${folder}/${PART}`)).toBe('600'),
          beforeVerdict: async (report) => {
            expect(report).toEqual({ size: DATA.length, sha256: sha256(DATA) });
            expect(await files.read(file)).toBe(OLD);
            expect(await files.list(folder)).toEqual([PART, 'file']);
            looked = true;
          },
        },
      );
      expect(looked).toBe(true);
    },
  },
  {
    name: 'reports the digest of what is on the disk, not of what was sent',
    run: async (bench) => {
      const { folder, file } = await oldFile(bench);
      const { files } = bench.machine;
      // More than the programs buffer.
      const half = Buffer.alloc(256 * 1024, 'a');
      const data = Buffer.concat([half, half]);
      const outcome = await upload(
        bench,
        { destination: file, data },
        {
          send: async (program) => {
            program.send(half);
            while ((await files.read(`${folder}/${PART}`)) === '');
            // The writer continues at its offset, so the size is right.
            await files.write(`${folder}/${PART}`, 'damaged');
            program.send(half);
          },
          beforeVerdict: async (report) => {
            expect(report.size).toBe(data.length);
            expect(report.sha256).not.toBe(sha256(data));
            expect(report.sha256).toMatch(/^[0-9a-f]{64}$/);
          },
          verdict: 'wrong',
        },
      );
      expect(outcome).toEqual({ kind: 'ended' });
      await expectUntouched(bench, folder, file);
    },
  },
  ...[
    { name: 'with the programs of the system', options: {} },
    { name: 'without openssl', options: { onlyPrograms: WITHOUT_OPENSSL } },
  ].map(
    ({ name, options }): Case => ({
      name: `computes the digest of a large file ${name}`,
      run: async (bench) => {
        const { folder, file } = await newFolder(bench);
        const outcome = await upload(bench, { destination: file, data: LARGE, options });
        expect(outcome).toEqual(published(file, LARGE, { mode: '644', replaced: false }));
        expect(await bench.machine.files.list(folder)).toEqual(['file']);
      },
    }),
  ),
  {
    name: 'keeps the old content when the digest is rejected',
    run: (bench) => keepsOld(bench, {}, { verdict: 'wrong' }, { kind: 'ended' }),
  },
  {
    name: 'keeps the old content when the input ends before the digest is confirmed',
    run: (bench) => keepsOld(bench, {}, { verdict: 'none' }, { kind: 'ended' }),
  },
  {
    name: 'refuses data that is too short, and keeps the old content',
    run: (bench) =>
      keepsOld(
        bench,
        { size: DATA.length + 1 },
        {
          send: async (program) => {
            program.send(DATA);
            program.endInput();
          },
        },
        { kind: 'refused', why: 'SHORT', text: String(DATA.length), stage: 'after data' },
      ),
  },
  {
    name: 'refuses large data that is too short, and keeps the old content',
    run: (bench) =>
      keepsOld(
        bench,
        { data: LARGE, size: LARGE.length + 1, options: { onlyPrograms: WITHOUT_OPENSSL } },
        {
          send: async (program) => {
            program.send(LARGE);
            program.endInput();
          },
        },
        { kind: 'refused', why: 'SHORT', stage: 'after data' },
      ),
  },
  {
    name: 'removes the temporary file when TERM ends it midway',
    needs: ['processGroups', 'trapAfterSubstitution'],
    run: async (bench) => {
      const { folder, file } = await oldFile(bench);
      const data = Buffer.alloc(256 * 1024, 'a');
      const outcome = await upload(
        bench,
        { destination: file, data, size: data.length + 1 },
        {
          send: async (program) => {
            program.send(data);
            await until(async () => (await bench.machine.files.read(`${folder}/${PART}`)) !== '');
            program.terminate();
          },
        },
      );
      expect(outcome.kind).not.toBe('published');
      await expectUntouched(bench, folder, file);
    },
  },
  {
    name: 'refuses an unknown owner, and keeps the old content',
    run: (bench) => keepsOld(bench, { owner: 'nobody-of-this-name' }, {}, { kind: 'refused', why: 'OWNER' }),
  },
  {
    name: 'refuses an unknown group, and keeps the old content',
    run: (bench) => keepsOld(bench, { group: 'nobody-of-this-name' }, {}, { kind: 'refused', why: 'OWNER' }),
  },
  {
    name: 'refuses an invalid mode, and keeps the old content',
    run: (bench) => keepsOld(bench, { mode: '9' }, {}, { kind: 'refused', why: 'MODE' }),
  },
  {
    name: 'publishes where chmod is refused, unless a mode was asked for',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const programs = await withProgram(bench, 'chmod', 'echo "chmod: Operation not permitted" >&2; exit 1');
      const { file } = await newFolder(bench);
      const request = { destination: file, data: DATA, options: { programs } };
      // The temporary file is created with access for its owner only.
      expect(await upload(bench, request)).toMatchObject({ kind: 'published', mode: '600' });
      expect(await upload(bench, { ...request, mode: '644' })).toMatchObject({
        kind: 'refused',
        why: 'MODE',
        text: 'chmod: Operation not permitted',
      });
    },
  },
  {
    name: 'does not replace a file whose owner it cannot set',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const nobodys =
        'case "$*" in "-c %u:%g "*/file) echo 65534:65534;; "-c %u:%g "*) echo 0:0;; *) PATH=/usr/bin:/bin exec stat "$@";; esac';
      const programs = await withProgram(bench, 'stat', nobodys);
      await bench.machine.files.write(
        `${programs}/chmod`,
        '#!/bin/sh\necho "chmod: Operation not permitted" >&2\nexit 1\n',
        0o755,
      );
      const { folder, file } = await oldFile(bench, 0o644);
      const outcome = await upload(bench, { destination: file, data: DATA, options: { programs } });
      expect(outcome).toMatchObject({ kind: 'refused', why: 'IO', text: 'chmod: Operation not permitted' });
      await expectUntouched(bench, folder, file);
    },
  },
  {
    name: 'publishes and keeps the mode where stat knows no format',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const programs = await withProgram(bench, 'stat', 'echo "stat: unrecognized option" >&2; exit 1');
      for (const mode of [0o751, 0o1640, 0o604]) {
        const { file } = await oldFile(bench, mode);
        const outcome = await upload(bench, { destination: file, data: DATA, options: { programs } });
        expect(outcome).toMatchObject({ kind: 'published', mode: mode.toString(8), replaced: true });
        expect(await bench.machine.files.mode(file)).toBe(mode.toString(8));
      }
    },
  },
  {
    name: 'refuses to overwrite',
    run: (bench) =>
      keepsOld(
        bench,
        { overwrite: false },
        {},
        { kind: 'refused', why: 'FILE_EXISTS', stage: 'before data' },
      ),
  },
];

export async function newFolder(bench: Bench) {
  const folder = await bench.machine.folder();
  return { folder, file: `${folder}/file` };
}

/** A folder with one program that takes precedence over that of the system. */
async function withProgram({ machine }: Bench, name: string, script: string): Promise<string> {
  const folder = await machine.folder();
  await machine.files.write(`${folder}/${name}`, `#!/bin/sh\n${script}\n`, 0o755);
  return folder;
}

export async function oldFile(bench: Bench, mode = 0o644) {
  const found = await newFolder(bench);
  await bench.machine.files.write(found.file, OLD, mode);
  return found;
}

/** An upload over an old file ends with `expected`; the file keeps its content, and no other file is left. */
export async function keepsOld(
  bench: Bench,
  request: Partial<UploadRequest>,
  steps: UploadSteps,
  expected: Partial<UploadOutcome>,
): Promise<void> {
  const { folder, file } = await oldFile(bench);
  const outcome = await upload(bench, { destination: file, data: DATA, ...request }, steps);
  expect(outcome).toMatchObject(expected);
  await expectUntouched(bench, folder, file);
}

async function expectUntouched({ machine }: Bench, folder: string, file: string): Promise<void> {
  expect(await machine.files.read(file)).toBe(OLD);
  expect(await machine.files.list(folder)).toEqual(['file']);
}

function published(
  destination: string,
  data: Buffer,
  rest: { mode: string; replaced: boolean },
): UploadOutcome {
  return { kind: 'published', destination, size: data.length, sha256: sha256(data), ...rest };
}
