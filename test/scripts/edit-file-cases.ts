import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { ALL_ATTRIBUTES, archiveWithAttributes, attributesIn, TAR } from '../fixtures/attributes.ts';
import type { Bench, Case } from './cases.ts';
import type { Program, StartOptions } from './machine.ts';
import { NONCE } from './protocol.ts';
import { Reader, sha256 } from './transfer-protocol.ts';
import { newFolder } from './upload-cases.ts';

const OLD = 'old content\n';
const DATA = 'new content, no final newline';
const NAME = '.proxmox-mcp-test';

interface Steps {
  readonly validate?: string;
  readonly when?: 'before' | 'after';
  /** Announced; that of the command unless given. */
  readonly length?: number;
  readonly beforeVerdict?: () => Promise<void>;
  readonly verdict?: string;
  readonly afterVerdict?: (program: Program) => Promise<void>;
  /** For the validation, in seconds. */
  readonly limit?: number;
  readonly options?: StartOptions;
}

/** Runs edit-file.sh as the sender would. */
async function edit(bench: Bench, file: string, steps: Steps = {}) {
  const { validate = '', when = 'before', length = validate.length, verdict = NONCE, limit = 9 } = steps;
  const program = bench.machine.start(bench.scripts.editFile, [NONCE, file, '1000', NAME], steps.options);
  const reader = new Reader(program);
  try {
    const ready = await reader.message('before data');
    if (ready.kind !== 'said') return ready;
    await reader.data();
    expect((await reader.data()).toString()).toBe(OLD);
    const sent = await reader.message('before data');
    expect(sent).toMatchObject({ fields: [sha256(Buffer.from(OLD))] });
    program.send(`${DATA.length} ${length} ${limit} ${validate === '' ? 'none' : when}\n${DATA}`);
    const done = await reader.message('after data');
    if (done.kind !== 'said') return done;
    expect(done.fields).toEqual([sha256(Buffer.from(DATA))]);
    await steps.beforeVerdict?.();
    if (verdict !== '') program.send(`${verdict}\n${validate}`);
    program.endInput();
    await steps.afterVerdict?.(program);
    let output: string | undefined;
    let end = await reader.message('after data');
    if (validate !== '' && end.kind === 'said' && end.fields.length === 1) {
      output = (await reader.data()).toString();
      end = await reader.message('after data');
    }
    return { ...end, output };
  } finally {
    program.endInput();
    await program.closed;
  }
}

async function oldFile(bench: Bench, mode = 0o644) {
  const { folder } = await newFolder(bench);
  const file = `${folder}/file.conf`;
  await bench.machine.files.write(file, OLD, mode);
  return { folder, file };
}

async function has({ machine }: Bench, { folder, file }: { folder: string; file: string }, content: string) {
  expect(await machine.files.read(file)).toBe(content);
  expect(await machine.files.list(folder)).toEqual(['file.conf']);
}

export const EDIT_FILE_CASES: readonly Case[] = [
  {
    name: 'replaces the content and keeps the mode',
    run: async (bench) => {
      const place = await oldFile(bench, 0o751);
      const beforeVerdict = async () => expect(await bench.machine.files.read(place.file)).toBe(OLD);
      const end = await edit(bench, place.file, { beforeVerdict });
      expect(end).toMatchObject({ kind: 'said', fields: ['751', expect.any(String)] });
      await has(bench, place, DATA);
      expect(await bench.machine.files.mode(place.file)).toBe('751');
    },
  },
  ...(['', 'wrong'] as const).map(
    (verdict): Case => ({
      name: `keeps the old content when the verdict is ${verdict === '' ? 'missing' : verdict}`,
      run: async (bench) => {
        const place = await oldFile(bench);
        expect(await edit(bench, place.file, { verdict })).toMatchObject({ kind: 'ended' });
        await has(bench, place, OLD);
      },
    }),
  ),
  {
    name: 'validates the new content beside the file, with its suffix, before it is replaced',
    run: async (bench) => {
      const place = await oldFile(bench);
      const part = `${place.folder}/${NAME}.part.conf`;
      const validate = `cat '${part}' '${place.file}'`;
      expect(await edit(bench, place.file, { validate })).toMatchObject({
        kind: 'said',
        output: DATA + OLD,
      });
      await has(bench, place, DATA);
    },
  },
  {
    name: 'keeps the old content when the new one is not valid before it is replaced',
    run: async (bench) => {
      const place = await oldFile(bench);
      const end = await edit(bench, place.file, { validate: 'echo bad; exit 3' });
      expect(end).toMatchObject({ kind: 'said', fields: [], output: 'bad\n' });
      await has(bench, place, OLD);
    },
  },
  {
    name: 'restores the old content when the new one is not valid after it was replaced',
    run: async (bench) => {
      const place = await oldFile(bench);
      const validate = `cat '${place.file}'; exit 3`;
      const end = await edit(bench, place.file, { validate, when: 'after' });
      expect(end).toMatchObject({ kind: 'said', fields: [], output: DATA });
      await has(bench, place, OLD);
    },
  },
  {
    name: 'keeps the new content when it is valid after it was replaced',
    run: async (bench) => {
      const place = await oldFile(bench);
      await edit(bench, place.file, { validate: 'true', when: 'after' });
      await has(bench, place, DATA);
    },
  },
  ...(['before', 'after'] as const).map(
    (when): Case => ({
      name: `refuses what the validation has changed ${when} the replacement, and keeps the old content`,
      run: async (bench) => {
        const place = await oldFile(bench);
        const file = when === 'before' ? `${place.folder}/${NAME}.part.conf` : place.file;
        for (const change of [`echo more >>'${file}'`, `rm '${file}'`, `chmod 600 '${file}'`]) {
          const end = await edit(bench, place.file, { validate: `${change}; echo formatted`, when });
          expect(end).toMatchObject({ kind: 'refused', why: 'TOUCHED', output: 'formatted\n' });
          await has(bench, place, OLD);
        }
      },
    }),
  ),
  {
    name: 'keeps the old content when the validation kills what runs it',
    needs: ['linux'],
    run: async (bench) => {
      for (const when of ['before', 'after'] as const) {
        const place = await oldFile(bench);
        const end = await edit(bench, place.file, {
          validate: 'kill -9 $PPID; sleep 0.3; echo after that',
          when,
        });
        expect(end).toMatchObject({ kind: 'said', fields: [] });
        await has(bench, place, OLD);
      }
    },
  },
  {
    name: 'gives the new content no suffix that a shell would expand',
    run: async (bench) => {
      const { folder } = await newFolder(bench);
      const file = `${folder}/file.$(x)`;
      await bench.machine.files.write(file, OLD);
      const validate = `cat '${folder}/${NAME}.part'`;
      expect(await edit(bench, file, { validate })).toMatchObject({ kind: 'said', output: DATA });
    },
  },
  {
    name: 'refuses a file that has changed since it was sent',
    run: async (bench) => {
      const place = await oldFile(bench);
      const beforeVerdict = () => bench.machine.files.write(place.file, 'other\n');
      expect(await edit(bench, place.file, { beforeVerdict })).toMatchObject({
        kind: 'refused',
        why: 'CHANGED',
      });
      await has(bench, place, 'other\n');
    },
  },
  {
    name: 'runs no command that was cut',
    run: async (bench) => {
      const place = await oldFile(bench);
      const validate = `rm '${place.file}'`;
      const end = await edit(bench, place.file, { validate, length: validate.length + 9 });
      expect(end).toMatchObject({ kind: 'ended' });
      await has(bench, place, OLD);
    },
  },
  {
    name: 'puts the old content back when TERM ends it during the validation',
    needs: ['processGroups'],
    run: async (bench) => {
      const place = await oldFile(bench);
      const afterVerdict = async (program: Program) => {
        while ((await bench.machine.files.read(place.file)) !== DATA) await setTimeout(5);
        program.terminate();
      };
      await edit(bench, place.file, { validate: 'sleep 30', when: 'after', afterVerdict, limit: 60 });
      await has(bench, place, OLD);
    },
  },
  ...(['before', 'after'] as const).map(
    (when): Case => ({
      name: `kills a validation ${when} the replacement at its time limit and keeps the old content`,
      run: async (bench) => {
        const place = await oldFile(bench);
        const sleep = `sleep 9${randomInt(1e9)}`;
        const validate = `echo begun; trap '' TERM; exec ${sleep}`;
        const end = await edit(bench, place.file, { validate, when, limit: 1 });
        expect(end).toMatchObject({ kind: 'said', fields: [], output: 'begun\n' });
        await has(bench, place, OLD);
        expect((await bench.machine.commandLines()).filter((line) => line === sleep)).toEqual([]);
      },
    }),
  ),
  {
    name: 'does not wait for what the validation leaves in the background',
    needs: ['linux'],
    run: async (bench) => {
      for (const [when, code] of [
        ['before', 0],
        ['after', 3],
      ] as const) {
        const place = await oldFile(bench);
        const sleep = `sleep 9${randomInt(1e9)}`;
        const validate = `${sleep} & echo begun; exit ${code}`;
        const left = () => bench.machine.commandLines();
        const end = await edit(bench, place.file, { validate, when });
        expect(end).toMatchObject({
          kind: 'said',
          fields: code === 0 ? [expect.any(String), expect.any(String)] : [],
          output: 'begun\n',
        });
        await has(bench, place, code === 0 ? DATA : OLD);
        // It is not killed: it may be a service.
        expect((await left()).filter((line) => line === sleep)).toHaveLength(1);
        spawnSync('pkill', ['-f', sleep]);
      }
    },
  },
  {
    name: 'shows the end of much output of the validation',
    run: async (bench) => {
      const place = await oldFile(bench);
      const validate = 'yes x | head -n 100000; echo end';
      const end = await edit(bench, place.file, { validate });
      // Its last 8,000 bytes with the exit code in a line, but no part of a line that is cut.
      expect(end).toMatchObject({ output: `${'x\n'.repeat(3_997)}end\n` });
      await has(bench, place, DATA);
    },
  },
  {
    name: 'refuses a disk that is mounted read-only',
    needs: ['disks', 'isolated', 'attributes'],
    run: async (bench) => {
      const { inside, outside } = await bench.machine.disk({ sizeKiB: 64 });
      await bench.machine.files.write(`${outside}/file.conf`, OLD);
      const options = { isolated: true };
      await sh(bench, 'mount -o remount,ro "$1"', [inside], { options });
      const end = await edit(bench, `${inside}/file.conf`, { options });
      expect(end).toMatchObject({ kind: 'refused', why: 'IO', text: expect.stringMatching(/read-only/i) });
      await has(bench, { folder: outside, file: `${outside}/file.conf` }, OLD);
    },
  },
  {
    name: 'refuses an immutable file, and leaves nothing behind',
    needs: ['attributes'],
    run: async (bench) => {
      const place = await oldFile(bench);
      await sh(bench, 'chattr +i "$1"', [place.file]);
      try {
        const end = await edit(bench, place.file);
        expect(end).toMatchObject({
          kind: 'refused',
          why: 'IO',
          text: expect.stringContaining('not permitted'),
        });
        await has(bench, place, OLD);
      } finally {
        await sh(bench, 'chattr -i "$1"', [place.file]);
      }
    },
  },
  {
    name: 'sends the number of hard links where stat knows no format',
    needs: ['missingPrograms'],
    run: async (bench) => {
      const { machine } = bench;
      const place = await oldFile(bench);
      await sh(bench, 'ln "$1" "$1.other"', [place.file]);
      const programs = await machine.folder();
      await machine.files.write(`${programs}/stat`, '#!/bin/sh\nexit 1\n', 0o755);
      const program = machine.start(bench.scripts.editFile, [NONCE, place.file, '1000', NAME], { programs });
      program.endInput();
      await program.closed;
      expect(program.stdout.toString()).toMatch(/ ready \d+ 644 \d+:\d+ 2 - -\n/);
    },
  },
  {
    name: 'keeps extended attributes, capabilities and ACLs',
    needs: ['attributes'],
    run: async (bench) => {
      const { folder } = await newFolder(bench);
      const place = { folder, file: `${folder}/file.conf` };
      await sh(bench, `cd "$1" && ${TAR.join(' ')} -xf -`, [folder], {
        input: archiveWithAttributes('file.conf', OLD),
      });
      const attributes = async () =>
        attributesIn(await sh(bench, `${TAR.join(' ')} -cf - -C "$1" file.conf`, [folder]));
      expect(await attributes()).toEqual(ALL_ATTRIBUTES);
      expect(await edit(bench, place.file)).toMatchObject({ kind: 'said', fields: ['644', 'kept'] });
      expect(await attributes()).toEqual(ALL_ATTRIBUTES);
      await has(bench, place, DATA);
    },
  },
];

/** Runs a script of the test itself. @returns its output */
async function sh(
  { machine }: Bench,
  script: string,
  args: readonly string[],
  { input, options }: { readonly input?: Buffer; readonly options?: StartOptions } = {},
): Promise<Buffer> {
  const program = machine.start(script, args, options);
  if (input !== undefined) program.send(input);
  program.endInput();
  const { code } = await program.closed;
  expect(code, program.stderr.toString()).toBe(0);
  return program.stdout;
}
