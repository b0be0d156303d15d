import { execFileSync } from 'node:child_process';
import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { GENESIS, seal, unseal } from '../../src/governance/audit/chain.ts';
import { verifyDirectory } from '../../src/governance/audit/verify-dir.ts';
import { BEGIN, freshDir, headsIn, segmentsIn, trailIn, verified } from './records.ts';

/** Three calls on record, and the lines of the one segment. */
async function threeCalls({ close = true } = {}) {
  const dir = await freshDir();
  const { trail, call } = trailIn(dir);
  for (let calls = 0; calls < 3; calls += 1) await call();
  if (close) await trail.close();
  const [file = ''] = await segmentsIn(dir);
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  const rewrite = (changed: readonly string[]) => writeFile(file, `${changed.join('\n')}\n`);
  return { dir, file, lines, rewrite };
}

describe('tampering is found', () => {
  test.each<[string, (lines: string[]) => readonly string[], RegExp]>([
    [
      'an edited field',
      (lines) => lines.with(3, edited(lines[3], 'df -h', 'df -k')),
      /line 4 \(record 3\).*edited/,
    ],
    ['an edited MAC', (lines) => lines.with(3, otherMac(at(lines, 3))), /line [45].*edited/],
    ['a removed record', (lines) => lines.toSpliced(3, 1), /record 3 is missing before line 4/],
    ['several removed', (lines) => lines.toSpliced(2, 3), /records 2 to 4 are missing before line 3/],
    ['the first removed', (lines) => lines.slice(1), /begins with record 1: what stood before was removed/],
    [
      'two swapped',
      (lines) => lines.with(3, at(lines, 4)).with(4, at(lines, 3)),
      /record 3 is missing before line 4/,
    ],
    [
      'one put in again',
      (lines) => lines.toSpliced(5, 0, at(lines, 3)),
      /line 6 \(record 3\) was put in or moved/,
    ],
    ['a line that is no record', (lines) => lines.toSpliced(2, 0, '{"type":"end"}'), /line 3 is no record/],
    ['an empty line', (lines) => lines.toSpliced(2, 0, ''), /line 3 is no record/],
    [
      'one behind the end',
      (lines) => [...lines, at(lines, 3)],
      /line 9 stands behind the end of the segment/,
    ],
    [
      'one forged with another key',
      (lines) => [...lines.slice(0, -1), forged(lines)],
      /line 8 \(record 7\).*edited/,
    ],
  ])('%s', async (_, change, message) => {
    const { dir, lines, rewrite } = await threeCalls();
    await rewrite(change(lines));
    expect((await verified(dir)).damage.join('\n')).toMatch(message);
  });

  test('each byte of a record counts', async () => {
    const { dir, file } = await threeCalls();
    const bytes = await readFile(file);
    const start = bytes.indexOf(0x0a) + 1;
    const end = bytes.indexOf(0x0a, start) + 1;
    for (let index = start; index < end; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      await writeFile(file, changed);
      expect((await verified(dir)).damage, `byte ${index - start}`).not.toEqual([]);
    }
  });

  test('a segment that was removed, cut off at a line, or swapped for another, since the last verification', async () => {
    const { dir, file, lines, rewrite } = await threeCalls({ close: false });
    expect(await verified(dir)).toMatchObject({ damage: [], since: undefined });
    await rewrite(lines.slice(0, 4));
    const name = path.basename(file);
    const cut = new RegExp(`^${name} was cut off: it ends with record 3, and went to record 6 at 20`);
    expect((await verified(dir)).damage).toEqual([expect.stringMatching(cut)]);
    // It is not forgotten by being told.
    expect((await verified(dir)).damage).toEqual([expect.stringMatching(cut)]);
    await writeFile(file, '');
    expect((await verified(dir)).damage).toEqual([
      expect.stringContaining('it holds no record, and went to'),
    ]);
    await rm(file);
    expect((await verified(dir)).damage).toEqual([
      expect.stringContaining(`${name} is missing; it was there at`),
    ]);
    expect(await verified(dir, true)).toMatchObject({ damage: [] });
    expect(await verified(dir)).toMatchObject({ findings: [] });
  });

  test('a segment between two others, and the one that was to follow', async () => {
    const dir = await freshDir();
    const { trail, call } = trailIn(dir, { maxBytes: 1 });
    for (let calls = 0; calls < 3; calls += 1) await call();
    await trail.close();
    const files = await segmentsIn(dir);
    expect(files.length).toBeGreaterThan(5);
    await rm(files[2] ?? '');
    await rm(files.at(-1) ?? '');
    const { damage } = await verified(dir);
    const names = files.map((file) => path.basename(file));
    expect(damage).toEqual([
      `${names[1]} ${names[2]}, which continues it, is missing`,
      `${names[3]} ${names[2]}, which it continues, is missing`,
      `${names.at(-2)} ${names.at(-1)}, which continues it, is missing`,
    ]);
  });

  test('a copy and a new name', async () => {
    const { dir, file } = await threeCalls();
    const other = path.join(path.dirname(file), `2${path.basename(file)}`);
    await copyFile(file, other);
    expect((await verified(dir)).damage).toEqual([expect.stringContaining('was renamed or copied')]);
    await rm(other);
    expect((await verified(dir)).damage).toEqual([]);
    await rename(file, other);
    expect((await verified(dir)).damage).toEqual([
      expect.stringContaining(`${path.basename(file)} is missing`),
      expect.stringContaining('was renamed or copied'),
    ]);
  });

  test('another key is told apart from a forged record', async () => {
    const { dir } = await threeCalls();
    await writeFile(path.join(dir, 'audit.key'), `${'0'.repeat(64)}\n`);
    expect((await verified(dir)).damage[0]).toMatch(/was written with another key \([0-9a-f]{8}\) than/);
    await rm(path.join(dir, 'audit.key'));
    await expect(verified(dir)).rejects.toThrow(/no key to check the record with/);
  });
});

test('what is no file is not read, and no segment: a link to one, a directory, a pipe that nobody writes to', async () => {
  const { dir, file } = await threeCalls();
  await mkdir(path.join(path.dirname(file), '1.jsonl'));
  execFileSync('mkfifo', [path.join(path.dirname(file), '2.jsonl')]);
  expect((await verified(dir)).damage).toEqual([]);
  await rename(file, `${file}.moved`);
  await symlink(`${file}.moved`, file);
  expect((await verified(dir)).damage.join('\n')).toMatch(/is missing/);
});

describe('a crash is not taken for tampering', () => {
  test('cut at every byte of the last two records: torn or without an end, and never damage', async () => {
    const { dir, file, lines } = await threeCalls({ close: false });
    const bytes = await readFile(file);
    const from = Buffer.byteLength(lines.slice(0, -2).join('\n')) + 1;
    for (let size = from; size < bytes.length; size += 1) {
      await writeFile(file, bytes.subarray(0, size));
      await rm(headsIn(dir), { force: true });
      const { damage, notes, records } = await verified(dir);
      const whole = bytes.subarray(0, size).filter((byte) => byte === 0x0a).length;
      expect({ size, damage, records }).toEqual({ size, damage: [], records: whole });
      const torn = notes.filter((note) => note.includes('is torn after'));
      expect(torn.length, `${size}`).toBe(bytes[size - 1] === 0x0a ? 0 : 1);
    }
  });

  test('the same at every byte of the first record, and of nothing at all', async () => {
    const { dir, file, lines } = await threeCalls({ close: false });
    const bytes = await readFile(file);
    for (let size = 0; size < Buffer.byteLength(lines[0] ?? ''); size += 1) {
      await writeFile(file, bytes.subarray(0, size));
      await rm(headsIn(dir), { force: true });
      const { damage, notes } = await verified(dir);
      expect({ size, damage }).toEqual({ size, damage: [] });
      expect(notes.join()).toMatch(size === 0 ? /is empty/ : /is torn/);
    }
  });

  test('zeros that a file system leaves behind after a power cut are a torn line', async () => {
    const { dir, file } = await threeCalls({ close: false });
    await writeFile(file, Buffer.concat([await readFile(file), Buffer.alloc(4096)]));
    const { damage, notes } = await verified(dir);
    expect(damage).toEqual([]);
    expect(notes).toContainEqual(expect.stringContaining('torn after 4096 bytes'));
  });

  test('but behind an orderly end nothing can be torn', async () => {
    const { dir, file } = await threeCalls();
    await writeFile(file, Buffer.concat([await readFile(file), Buffer.from('{"seq"')]));
    expect((await verified(dir)).damage).toEqual([expect.stringContaining('6 bytes stand behind the end')]);
  });

  test('a call without an end is told, and that its process runs', async () => {
    const dir = await freshDir();
    const { trail } = trailIn(dir);
    const { id } = await trail.begin(BEGIN);
    expect((await verified(dir)).notes).toEqual([
      expect.stringMatching(new RegExp(`is still open: process ${process.pid} runs`)),
      expect.stringMatching(
        new RegExp(
          `no end is recorded of call ${id} \\(proxmox_container_exec_command on 101,.*may still run`,
        ),
      ),
    ]);
  });
});

describe('what the last verification has seen', () => {
  test('is not kept beside the segments: all that lies there may go, and it is noticed', async () => {
    const { dir, file } = await threeCalls({ close: false });
    await verified(dir);
    expect(await readdir(path.join(dir, 'audit'))).toEqual([path.basename(file)]);
    await rm(path.join(dir, 'audit'), { recursive: true });
    expect((await verified(dir)).damage).toEqual([
      expect.stringContaining(`${path.basename(file)} is missing; it was there at`),
    ]);
  });

  test('is taken over from beside the segments, where it was at first; what stands there later does not count', async () => {
    const { dir, file } = await threeCalls({ close: false });
    const former = path.join(dir, 'audit/heads.json');
    await verified(dir);
    await rename(headsIn(dir), former);
    const taken = await verified(dir);
    expect(taken).toMatchObject({ damage: [] });
    expect(taken.since).toBeDefined();
    await expect(stat(former)).rejects.toThrow('ENOENT');
    await rename(headsIn(dir), former);
    await rm(file);
    expect((await verified(dir)).damage).toEqual([expect.stringContaining('is missing; it was there at')]);
    await writeFile(former, 'nonsense');
    expect((await verified(dir)).damage).toEqual([expect.stringContaining('is missing; it was there at')]);
  });

  test('of several directories with one key is kept apart', async () => {
    const { dir, file } = await threeCalls();
    const other = trailIn(dir, { dir: path.join(dir, 'other') });
    await other.call();
    await other.trail.close();
    await verified(dir);
    const options = { dir: path.join(dir, 'other'), stateDir: dir, accept: false };
    expect(await verifyDirectory(options)).toMatchObject({ segments: 1, findings: [], since: undefined });
    await rm(file);
    expect((await verified(dir)).damage).toEqual([expect.stringContaining('is missing')]);
    expect(await verifyDirectory(options)).toMatchObject({ findings: [], since: expect.any(String) });
  });

  test('nothing: a key that is older than what is there is told, once', async () => {
    const { dir, file } = await threeCalls();
    const old = new Date('2026-01-02T03:04:05Z');
    await utimes(path.join(dir, 'audit.key'), old, old);
    expect(await verified(dir)).toMatchObject({
      damage: [],
      notes: [
        expect.stringMatching(
          /^audit\.key was made at 2026-01-02T03:04:05.*begins later.*never verified it: what was removed before now can't be seen/,
        ),
      ],
    });
    expect(await verified(dir)).toMatchObject({ findings: [] });
    await rm(headsIn(dir));
    await rm(file);
    expect(await verified(dir)).toMatchObject({
      segments: 0,
      notes: [expect.stringContaining('but no record is there')],
    });
  });
});

test('nothing to verify is in order', async () => {
  const dir = await freshDir();
  expect(await verified(dir)).toMatchObject({ segments: 0, findings: [] });
  await mkdir(path.join(dir, 'audit'));
  expect(await verified(dir)).toMatchObject({ segments: 0, findings: [] });
});

function at(lines: readonly string[], index: number): string {
  return lines[index] ?? '';
}

/** With another first digit. */
function otherMac(line: string): string {
  return line.replace(/(?<="mac":").(?=[0-9a-f]{63}"}$)/, (digit) => (digit === '0' ? '1' : '0'));
}

function edited(line: string | undefined, from: string | RegExp, to: string): string {
  const changed = (line ?? '').replace(from, to);
  if (changed === line) throw new Error(`nothing to edit in ${line}`);
  return changed;
}

/** The last record, sealed by somebody who knows everything but the key. */
function forged(lines: readonly string[]): string {
  const last = unseal(Buffer.from(at(lines, lines.length - 1)));
  const before = unseal(Buffer.from(at(lines, lines.length - 2)));
  return seal(last?.body.toString() ?? '', before?.mac ?? GENESIS, Buffer.from('a guess')).line.trimEnd();
}
