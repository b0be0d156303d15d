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
    await program.until(() => / (done|failed) /.test(program.stdout.toString()));
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

const receiveTree = (
  { scripts }: Bench,
  folder: string,
  size: number,
  { over = '0', restricted = '0', same = '' },
) => shellArgv(scripts.receiveTree, [NONCE, `${folder}/b`, String(size), over, PART, restricted, same]);

/** A half that sends a tar archive of its own, as a hostile container can. */
const hostileTree = (folder: string) => ['/bin/sh', '-c', `tar -cf - -C '${folder}' .; cat /dev/zero`];

async function tree(bench: Bench, { over = '0', restricted = '0', same = '' } = {}) {
  const folder = await bench.machine.folder();
  await bench.machine.files.write(`${folder}/a/sub/file`, DATA, 0o600);
  await bench.machine.files.write(`${folder}/a/it's $(x) odd`, 'odd', 0o751);
  await bench.machine.files.symlink('sub/file', `${folder}/a/link`);
  const info = bench.machine.start(bench.scripts.sourceTreeInfo, [NONCE, `${folder}/a`]);
  info.endInput();
  await info.closed;
  const size = Number(/ ready (\d+) /.exec(info.stdout.toString())?.[1]);
  const halves = [
    shellArgv(bench.scripts.sendTree, [SOURCE, `${folder}/a`, restricted]),
    receiveTree(bench, folder, size, { over, restricted, same }),
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
      const [, hash, rights] = / done \d+ ([0-9a-f]{64}) ([0-9a-f]{64}) 2 2 1\n/.exec(stdout) ?? [];
      expect(stderr).toContain(`${SOURCE} sent ${hash} ${rights}\n`);
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
    name: 'removes set-user-ID and set-group-ID bits of files when asked, and keeps them otherwise',
    run: async (bench) => {
      for (const [restricted, mode] of [
        ['1', '751'],
        ['0', '6751'],
      ] as const) {
        const { folder, size, halves } = await tree(bench, { restricted });
        const file = `${folder}/a/it's $(x) odd`;
        await bench.machine.files.chmod(file, 0o6751);
        const { stdout, stderr } = await copy(bench, halves, size);
        expect(await bench.machine.files.mode(file.replace('/a/', '/b/'))).toBe(mode);
        const [, hashes] = / done \d+ (\S+ \S+) /.exec(stdout) ?? [];
        expect(stderr).toContain(`${SOURCE} sent ${hashes}\n`);
      }
    },
  },
  {
    name: 'lets nobody enter the directory before it is complete',
    run: async (bench) => {
      const { folder, size, halves } = await tree(bench);
      const program = bench.machine.start(bench.scripts.copy, [NONCE, ...halves.map(quoteAll), String(size)]);
      try {
        await program.until(() => program.stdout.includes(`${NONCE} done`));
        expect(await bench.machine.files.mode(`${folder}/${PART}`)).toBe('700');
      } finally {
        program.endInput();
        await program.closed;
      }
    },
  },
  {
    name: 'refuses a stream with a fifo, of which the source has not told',
    needs: ['fifos', 'linux'],
    run: async (bench) => {
      const { folder, size } = await tree(bench);
      await bench.machine.files.fifo(`${folder}/a/fifo`);
      const halves = [hostileTree(`${folder}/a`), receiveTree(bench, folder, size, {})] as const;
      const { stdout } = await copy(bench, halves, size);
      expect(stdout).toContain(`failed SPECIAL_FILE ${folder}/b/fifo`);
      expect(await bench.machine.files.list(folder)).toEqual(['a']);
    },
  },
  {
    name: 'refuses to replace the file or the directory that is copied, by a link to its directory',
    run: async (bench) => {
      const { folder, size, halves } = await tree(bench);
      const { files } = bench.machine;
      await files.symlink(folder, `${folder}/link`);
      await files.write(`${folder}/file`, DATA);
      const same = [NONCE, `${folder}/link/file`, '5', '640', '', '', '1', PART, '640', `${folder}/file`, ''];
      const file = shellArgv(bench.scripts.upload, same);
      expect((await copy(bench, [sendFile(bench, `${folder}/file`, 5), file], 5)).stdout).toContain(
        'failed SAME_FILE',
      );
      const dir = receiveTree(bench, `${folder}/link`, size, { over: '1', same: `${folder}/a` });
      await files.symlink('a', `${folder}/b`);
      expect((await copy(bench, [halves[0], dir], size)).stdout).toContain('failed SAME_FILE');
      expect(await files.list(folder)).toEqual(['a', 'b', 'file', 'link']);
      expect(await files.list(`${folder}/a`)).toEqual(["it's $(x) odd", 'link', 'sub']);
    },
  },
  {
    name: 'refuses to replace a directory below which a file system is mounted, and removes nothing of it',
    needs: ['disks', 'isolated', 'linux'],
    run: async (bench) => {
      const { inside, outside } = await bench.machine.disk({ sizeKiB: 64 });
      await bench.machine.files.write(`${outside}/file`, 'kept');
      const dir = inside.slice(0, inside.lastIndexOf('/'));
      const args = [NONCE, dir, '5', '1', PART, '0', ''];
      const program = bench.machine.start(bench.scripts.receiveTree, args, { isolated: true });
      program.endInput();
      await program.closed;
      expect(program.stdout.toString()).toContain(`failed MOUNTED ${inside}`);
      expect(await bench.machine.files.read(`${outside}/file`)).toBe('kept');
    },
  },
  {
    name: 'puts a directory back that a killed copy has moved away, unless it has been replaced',
    run: async (bench) => {
      const folder = await bench.machine.folder();
      const { files } = bench.machine;
      const clean = async () => {
        const program = bench.machine.start(bench.scripts.removeBeside, [`${folder}/b`, PART]);
        program.endInput();
        await program.closed;
      };
      await files.write(`${folder}/${PART}/new/file`, 'new');
      await files.write(`${folder}/${PART}.old/file`, 'old');
      await clean();
      expect(await files.list(folder)).toEqual(['b']);
      expect(await files.read(`${folder}/b/file`)).toBe('old');
      await files.write(`${folder}/${PART}.old/file`, 'older');
      await clean();
      expect(await files.list(folder)).toEqual(['b']);
      expect(await files.read(`${folder}/b/file`)).toBe('old');
    },
  },
  {
    name: 'refuses a directory of the kernel, and one with paths that programs cannot handle',
    needs: ['attributes'],
    run: async (bench) => {
      const info = async (folder: string) => {
        const program = bench.machine.start(bench.scripts.sourceTreeInfo, [NONCE, folder]);
        program.endInput();
        await program.closed;
        return program.stdout.toString();
      };
      expect(await info('/proc/sys')).toContain('failed PSEUDO_FILE');
      const folder = await bench.machine.folder();
      await bench.machine.files.mkdir(folder + `/${'d'.repeat(200)}`.repeat(18));
      expect(await info(folder)).toContain(`failed TOO_DEEP ${folder}`);
    },
  },
  {
    name: 'keeps the holes of a large file that has some',
    needs: ['linux'],
    run: async (bench) => {
      const { folder, file } = await newFolder(bench);
      const { files } = bench.machine;
      const size = 40_000_000;
      await files.write(file, 'begin');
      await files.truncate(file, size);
      const info = bench.machine.start(bench.scripts.sourceInfo, [NONCE, file]);
      info.endInput();
      await info.closed;
      const holes = / ready .* (\d)\n/.exec(info.stdout.toString())?.[1] ?? '';
      expect(holes).toBe('1');
      const target = [NONCE, `${folder}/copy`, String(size), '640', '', '', '0', PART, '640', '', holes];
      await copy(bench, [sendFile(bench, file, size), shellArgv(bench.scripts.upload, target)], size);
      expect(await files.list(folder)).toEqual(['copy', 'file']);
      // The dd of busybox makes none.
      if (bench.machine.features.has('attributes')) {
        expect(await files.space(`${folder}/copy`)).toBeLessThan(size / 2);
      }
    },
  },
  {
    name: 'tells directories apart by names, by contents and by modes',
    run: async (bench) => {
      const { folder, size, halves } = await tree(bench);
      const hashes = new Set<string | undefined>();
      const { files } = bench.machine;
      const changes = [
        async () => {},
        () => files.write(`${folder}/a/sub/file`, Buffer.from('CONTENT\n\0with a NUL'), 0o600),
        () => files.write(`${folder}/a/more`, ''),
        () => files.remove(`${folder}/a/link`),
        () => files.chmod(`${folder}/a/sub/file`, 0o4600),
        () => files.chmod(`${folder}/a/sub`, 0o1750),
      ];
      for (const change of changes) {
        await change();
        const program = bench.machine.start(bench.scripts.sendTree, [SOURCE, `${folder}/a`, '0']);
        program.endInput();
        await program.closed;
        hashes.add(/ sent ([0-9a-f]{64} [0-9a-f]{64})\n/.exec(program.stderr.toString())?.[1]);
      }
      expect(hashes.size).toBe(changes.length);
      expect(hashes.has(undefined)).toBe(false);
      expect([size, halves.length]).toEqual([expect.any(Number), 2]);
    },
  },
];
