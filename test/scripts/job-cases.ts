import { randomInt } from 'node:crypto';
import { expect } from 'vitest';
import { until } from '../rig/until.ts';
import type { Bench, Case } from './cases.ts';
import { NONCE } from './protocol.ts';

const WORD = '0123456789abcdef0123456789abcdef';
const UNIT = 1024;

/** Runs job-run.sh on a folder as job-start.sh makes it, until it has recorded an end. @returns the names of its files */
async function runJob(
  { machine, scripts }: Bench,
  command: string,
  { limitS = 30, programs }: { limitS?: number; programs?: string } = {},
): Promise<{ folder: string; end: readonly string[]; names: readonly string[] }> {
  const folder = `${await machine.folder()}/job`;
  const { files } = machine;
  await files.write(`${folder}/command`, `PROXMOX_MCP_RUN=cases exec setsid /bin/sh -c "$RUN_THIS" sh\n`);
  await files.write(`${folder}/kill`, scripts.kill);
  for (const name of ['s.starting', 'o.out.open', 'o.err.open', 'l.no'])
    await files.write(`${folder}/${name}`, '');
  await files.fifo(`${folder}/p.out`);
  await files.fifo(`${folder}/p.err`);
  const framed = `echo ${WORD} began; ${command}\nc=$?; echo ${WORD} ended; exit $c`;
  const since = String(machine.ticksNow());
  const args = [folder, 'PROXMOX_MCP_RUN=cases', '123456', since, String(limitS), String(UNIT), WORD];
  const env = { RUN_THIS: framed };
  const program = machine.start(scripts.jobRun, args, {
    env,
    isolated: true,
    ...(programs === undefined ? {} : { programs }),
  });
  await program.exited;
  await until(async () => (await files.list(folder)).some((name) => name.startsWith('s.ended')));
  const names = await files.list(folder);
  const end =
    names
      .find((name) => name.startsWith('s.ended'))
      ?.split('.')
      .slice(2) ?? [];
  return { folder, end, names };
}

/** Offsets and sizes of the files of a stream, in order. */
async function outputOf({ machine }: Bench, folder: string): Promise<{ offset: number; text: string }[]> {
  const names = (await machine.files.list(folder)).filter((name) => name.startsWith('out.'));
  const parts = names.map(async (name) => ({
    offset: Number(name.slice('out.'.length)),
    text: (await machine.files.read(`${folder}/${name}`)) ?? '',
  }));
  return (await Promise.all(parts)).sort((a, b) => a.offset - b.offset);
}

export const JOB_CASES: readonly Case[] = [
  {
    name: 'records the exit code and the output of a job',
    needs: ['isolated', 'fifos', 'ddBytes'],
    run: async (bench) => {
      const { folder, end } = await runJob(bench, 'echo hello; (exit 7)');
      expect(end.slice(0, 2)).toEqual(['exit', '7']);
      expect(end.slice(3)).toEqual(['be', '0']);
      expect(await outputOf(bench, folder)).toEqual([
        { offset: 0, text: `${WORD} began\nhello\n${WORD} ended\n` },
      ]);
    },
  },
  {
    name: 'does not record a reported end when the wrapper of a job is killed',
    needs: ['isolated', 'fifos', 'ddBytes'],
    run: async (bench) => {
      const { end } = await runJob(bench, 'kill -9 $$');
      expect(end.slice(0, 2)).toEqual(['exit', '137']);
      expect(end[3]).toBe('b');
    },
  },
  {
    name: 'keeps the head and the tail of the output of a job, in files named by their offset',
    needs: ['isolated', 'fifos', 'ddBytes'],
    run: async (bench) => {
      const { folder, end } = await runJob(
        bench,
        'i=0; while [ $i -lt 9000 ]; do echo "line $i"; i=$((i+1)); done',
      );
      expect(end.slice(0, 2)).toEqual(['exit', '0']);
      const parts = await outputOf(bench, folder);
      const [head, ...tail] = parts;
      expect(head?.text).toMatch(/^\S+ began\nline 0\nline 1\n/);
      expect(head?.text.length).toBeGreaterThanOrEqual(8 * UNIT);
      const kept = tail.map(({ text }) => text).join('');
      expect(kept).toMatch(/\nline 8999\n\S+ ended\n$/);
      expect(kept.length).toBeGreaterThanOrEqual(12 * UNIT);
      expect(parts.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(32 * UNIT);
      tail.slice(1).forEach(({ offset }, index) => {
        const before = tail[index];
        expect(offset).toBe((before?.offset ?? 0) + (before?.text.length ?? 0));
      });
    },
  },
  {
    name: 'kills a job at its time limit, with a child in a session of its own',
    needs: ['isolated', 'fifos'],
    run: async (bench) => {
      const n = randomInt(1_000_000, 9_000_000);
      const { end } = await runJob(bench, `setsid sleep ${n} & sleep ${n}`, { limitS: 1 });
      expect(end[0]).toBe('timeout');
      expect(end[4]).toBe('0');
      const lines = await bench.machine.commandLines();
      expect(lines.filter((line) => line.includes(`sleep ${n}`))).toEqual([]);
    },
  },
  {
    name: 'measures the duration of a job without the clock',
    needs: ['isolated', 'fifos', 'missingPrograms'],
    run: async (bench) => {
      const programs = await bench.machine.folder();
      await bench.machine.files.write(`${programs}/date`, '#!/bin/sh\necho 1\n', 0o755);
      const before = bench.machine.ticksNow();
      const { end } = await runJob(bench, 'sleep 1', { programs });
      expect(Number(end[2]) - before).toBeGreaterThanOrEqual(95);
    },
  },
  {
    name: 'claims the log entry of a job once',
    run: async ({ machine, scripts }) => {
      const folder = await machine.folder();
      await machine.files.write(`${folder}/aaaa/l.no`, '');
      const claim = async () => {
        const program = machine.start(`n=${NONCE}\n${scripts.jobClaim}`, [folder, 'aaaa', 'bbbb']);
        await program.closed;
        return program.stdout.toString();
      };
      expect(await claim()).toBe(`${NONCE} item claimed aaaa\n`);
      expect(await claim()).toBe('');
    },
  },
];
