import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { quoteAll } from '../../src/lib/quote.ts';
import { shellArgv } from '../../src/remote/session-requests.ts';
import type { Bench, Case } from './cases.ts';
import { NONCE } from './protocol.ts';
import { PART, sha256 } from './transfer-protocol.ts';
import { newFolder } from './upload-cases.ts';

const SOURCE = 'source-word';
const DATA = Buffer.from('content\n\0with a NUL');

/** Runs copy.sh between two halves, and answers `done` with the verdict. @returns what it has printed */
async function copy(
  bench: Bench,
  halves: readonly [readonly string[], readonly string[]],
  size: number,
  verdict = NONCE,
) {
  const args = [NONCE, ...halves.map(quoteAll), String(size)];
  const program = bench.machine.start(bench.scripts.copy, args);
  try {
    await program.until(() => program.stdout.includes(`${NONCE} done`));
    program.send(`${verdict}\n`);
    program.endInput();
    await program.closed;
    return { stdout: program.stdout.toString(), stderr: program.stderr.toString() };
  } finally {
    program.endInput();
    await program.closed;
  }
}

const receiveFile = ({ scripts }: Bench, file: string, size: number) =>
  shellArgv(scripts.upload, [NONCE, file, String(size), '640', '', '', '0', PART, '640']);

const sendFile = ({ scripts }: Bench, file: string, size: number) =>
  shellArgv(scripts.sendFile, [SOURCE, file, String(size)]);

async function tree(bench: Bench) {
  const folder = await bench.machine.folder();
  await bench.machine.files.write(`${folder}/a/sub/file`, DATA, 0o600);
  await bench.machine.files.write(`${folder}/a/it's $(x) odd`, 'odd', 0o751);
  await bench.machine.files.symlink('sub/file', `${folder}/a/link`);
  const info = bench.machine.start(bench.scripts.sourceTreeInfo, [NONCE, `${folder}/a`]);
  info.endInput();
  await info.closed;
  const size = Number(/ ready (\d+) /.exec(info.stdout.toString())?.[1]);
  const halves = [
    shellArgv(bench.scripts.sendTree, [SOURCE, `${folder}/a`]),
    shellArgv(bench.scripts.receiveTree, [NONCE, `${folder}/b`, String(size), '0', PART]),
  ] as const;
  return { folder, size, halves };
}

export const COPY_CASES: readonly Case[] = [
  {
    name: 'copies a file, tells the progress, and hashes it on both sides',
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      const data = Buffer.alloc(5_000_000, 'proxmox ');
      await bench.machine.files.write(file, data);
      const halves = [
        sendFile(bench, file, data.length),
        receiveFile(bench, `${folder}/copy`, data.length),
      ] as const;
      const { stdout, stderr } = await copy(bench, halves, data.length);
      expect(stdout).toContain(`${NONCE} progress ${data.length}\n`);
      expect(stdout).toContain(`${NONCE} done ${data.length} ${sha256(data)}\n`);
      expect(stdout).toMatch(/published 640 new\n$/);
      expect(stderr).toContain(`${SOURCE} sent ${sha256(data)}\n`);
      expect(await bench.machine.files.read(`${folder}/copy`)).toBe(data.toString());
      expect(await bench.machine.files.list(folder)).toEqual(['copy', 'file']);
    },
  },
  {
    name: 'takes no verdict from the source, however much it writes',
    run: async (bench) => {
      const { folder } = await newFolder(bench);
      const hostile = ['/bin/sh', '-c', `printf '12345%s\\n%s\\n' ${NONCE} ${NONCE}`];
      const { stdout } = await copy(bench, [hostile, receiveFile(bench, `${folder}/copy`, 5)], 5, 'wrong');
      expect(stdout).toContain(`${NONCE} done 5`);
      expect(stdout).not.toContain('published');
      expect(await bench.machine.files.list(folder)).toEqual([]);
    },
  },
  {
    name: 'ends without waiting for a verdict when the source is short',
    run: async (bench) => {
      const { folder } = await newFolder(bench);
      const halves = [['/bin/sh', '-c', 'echo 12'], receiveFile(bench, `${folder}/copy`, 5)] as const;
      const program = bench.machine.start(bench.scripts.copy, [NONCE, ...halves.map(quoteAll), '5']);
      try {
        await Promise.race([program.until(() => program.stdout.includes('failed')), setTimeout(10_000)]);
        expect(program.stdout.toString()).toContain(`${NONCE} failed SHORT 3`);
      } finally {
        program.endInput();
        await program.closed;
      }
      expect(await bench.machine.files.list(folder)).toEqual([]);
    },
  },
  {
    name: 'copies a directory with modes and links, and finds the same names and contents on both sides',
    run: async (bench) => {
      const { folder, size, halves } = await tree(bench);
      const { stdout, stderr } = await copy(bench, halves, size);
      const [, hash] = / done \d+ ([0-9a-f]{64})\n/.exec(stdout) ?? [];
      expect(stderr).toContain(`${SOURCE} sent ${hash}\n`);
      const { files } = bench.machine;
      expect(await files.list(folder)).toEqual(['a', 'b']);
      expect(await files.read(`${folder}/b/sub/file`)).toBe(DATA.toString());
      expect(await files.mode(`${folder}/b/sub/file`)).toBe('600');
      expect(await files.mode(`${folder}/b/it's $(x) odd`)).toBe('751');
      expect(await files.isSymlink(`${folder}/b/link`)).toBe(true);
    },
  },
  {
    name: 'publishes no directory when the verdict is wrong',
    run: async (bench) => {
      const { folder, size, halves } = await tree(bench);
      await copy(bench, halves, size, 'wrong');
      expect(await bench.machine.files.list(folder)).toEqual(['a']);
    },
  },
  {
    name: 'tells directories apart by names and by contents',
    run: async (bench) => {
      const { folder, size, halves } = await tree(bench);
      const hashes = new Set<string | undefined>();
      const { files } = bench.machine;
      const changes = [
        async () => {},
        () => files.write(`${folder}/a/sub/file`, Buffer.from('CONTENT\n\0with a NUL'), 0o600),
        () => files.write(`${folder}/a/more`, ''),
        () => files.remove(`${folder}/a/link`),
      ];
      for (const change of changes) {
        await change();
        const program = bench.machine.start(bench.scripts.sendTree, [SOURCE, `${folder}/a`]);
        program.endInput();
        await program.closed;
        hashes.add(/ sent ([0-9a-f]{64})\n/.exec(program.stderr.toString())?.[1]);
      }
      expect(hashes.size).toBe(changes.length);
      expect(hashes.has(undefined)).toBe(false);
      expect([size, halves.length]).toEqual([expect.any(Number), 2]);
    },
  },
];
