import { execFileSync } from 'node:child_process';
import { appendFile, copyFile, cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { GENESIS, seal, unseal } from '../../src/governance/audit/chain.ts';
import { verifyDirectory } from '../../src/governance/audit/verify-dir.ts';
import { auditLogIn, BEGIN, freshDir, ledgerIn, segmentsIn, verified } from './records.ts';

/** Three logged calls, and the lines of the one segment. */
async function threeCalls({ close = true } = {}) {
  const dir = await freshDir();
  const { trail, call } = auditLogIn(dir);
  for (let calls = 0; calls < 3; calls += 1) await call();
  if (close) await trail.close();
  const [file = ''] = await segmentsIn(dir);
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  const rewrite = (changed: readonly string[]) => writeFile(file, `${changed.join('\n')}\n`);
  return { dir, file, lines, rewrite };
}

/** Three processes, each with one segment that was closed normally. */
async function threeSegments() {
  const dir = await freshDir();
  for (let process = 0; process < 3; process += 1) {
    const { trail, call } = auditLogIn(dir);
    await call();
    await trail.close();
  }
  const files = await segmentsIn(dir);
  return { dir, audit: path.join(dir, 'audit'), files, names: files.map((file) => path.basename(file)) };
}

describe('detects an edited segment', () => {
  const BROKEN = /does not continue the chain/;
  test.each<[string, (lines: string[]) => readonly string[], RegExp]>([
    [
      'an edited field',
      (lines) => lines.with(3, edited(lines[3], 'df -h', 'df -k')),
      /line 4 \(entry 3\).*edited/,
    ],
    ['an edited MAC', (lines) => lines.with(3, otherMac(at(lines, 3))), /line 4 \(entry 3\).*edited/],
    [
      'a removed entry',
      (lines) => lines.toSpliced(3, 1),
      /line 4 \(entry 4\).*entries before it were removed/,
    ],
    ['several removed entries', (lines) => lines.toSpliced(2, 3), BROKEN],
    [
      'the first entry removed',
      (lines) => lines.slice(1),
      /begins with entry 1: the entries before it were removed/,
    ],
    ['two swapped entries', (lines) => lines.with(3, at(lines, 4)).with(4, at(lines, 3)), BROKEN],
    [
      'a repeated entry',
      (lines) => lines.toSpliced(5, 0, at(lines, 3)),
      /line 6 \(entry 3\).*added or moved/,
    ],
    [
      'a line that is not an entry',
      (lines) => lines.toSpliced(2, 0, '{"type":"end"}'),
      /line 3 is not a valid audit entry/,
    ],
    ['an empty line', (lines) => lines.toSpliced(2, 0, ''), /line 3 is not a valid audit entry/],
    [
      'an entry after the end',
      (lines) => [...lines, at(lines, 3)],
      /line 9 was added after the end of the segment/,
    ],
    [
      'an entry forged with another key',
      (lines) => [...lines.slice(0, -1), forged(lines)],
      /line 8 \(entry 7\).*edited/,
    ],
  ])('%s', async (_, change, message) => {
    const { dir, lines, rewrite } = await threeCalls();
    await rewrite(change(lines));
    expect((await verified(dir)).damage).toEqual([expect.stringMatching(message)]);
  });

  test('by any changed byte of an entry', async () => {
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

  test('by its name, after a copy or a rename', async () => {
    const { dir, file } = await threeCalls();
    const other = path.join(path.dirname(file), `2${path.basename(file)}`);
    await copyFile(file, other);
    expect((await verified(dir)).damage).toEqual([expect.stringContaining('was renamed or copied')]);
    await rm(other);
    expect((await verified(dir)).damage).toEqual([]);
    await rename(file, other);
    expect((await verified(dir)).damage).toEqual([
      expect.stringContaining('was renamed or copied'),
      expect.stringContaining(`${path.basename(file)} is missing`),
    ]);
  });

  test('with separate messages for another key and for a forged entry', async () => {
    const { dir } = await threeCalls();
    await writeFile(path.join(dir, 'audit.key'), `${'0'.repeat(64)}\n`);
    expect((await verified(dir)).damage[0]).toMatch(/was written with another key \([0-9a-f]{8}\) than/);
    await rm(path.join(dir, 'audit.key'));
    await expect(verified(dir)).rejects.toThrow(/cannot be verified, because its key/);
  });
});

describe('with write access to AUDIT_DIR only, before any verification', () => {
  test('an unchanged log is complete', async () => {
    const { dir } = await threeSegments();
    expect(await verified(dir)).toMatchObject({ segments: 3, complete: 3, findings: [] });
  });

  test.each([
    ['the first segment', 0],
    ['a segment in the middle', 1],
    ['the newest segment', 2],
  ])('removal of %s is detected', async (_, index) => {
    const { dir, files, names } = await threeSegments();
    await rm(files[index] ?? '');
    const { damage } = await verified(dir);
    expect(damage).toEqual([expect.stringMatching(`^${names[index]} is missing; it was created at 20`)]);
    // Verification does not forget it.
    expect((await verified(dir)).damage).toEqual(damage);
  });

  test('removal of a segment of a running or killed process is detected', async () => {
    const { dir, file } = await threeCalls({ close: false });
    await rm(file);
    expect((await verified(dir)).damage).toEqual([expect.stringContaining('is missing; it was created at')]);
  });

  test('truncation of a closed segment at any line is detected, with and without an incomplete line after it', async () => {
    const { dir, lines, rewrite, file } = await threeCalls();
    for (let kept = 1; kept < lines.length; kept += 1) {
      await rewrite(lines.slice(0, kept));
      const cut = `was truncated: it ends with entry ${kept - 1}, but the ledger has entry ${lines.length - 1}`;
      expect((await verified(dir)).damage).toEqual([expect.stringContaining(cut)]);
      await appendFile(file, (lines[kept] ?? '').slice(0, 40));
      expect((await verified(dir)).damage).toEqual([expect.stringContaining(cut)]);
    }
    await writeFile(file, '');
    expect((await verified(dir)).damage).toEqual([
      expect.stringContaining('it has no entry, but the ledger'),
    ]);
  });

  test('truncation of a rotated segment is detected', async () => {
    const dir = await freshDir();
    const { trail, call } = auditLogIn(dir, { maxBytes: 1 });
    for (let calls = 0; calls < 3; calls += 1) await call();
    await trail.close();
    const files = await segmentsIn(dir);
    expect(files.length).toBeGreaterThan(5);
    expect(await verified(dir)).toMatchObject({ complete: files.length, findings: [] });
    const lines = (await readFile(files[2] ?? '', 'utf8')).split('\n');
    await writeFile(files[2] ?? '', `${lines[0]}\n`);
    expect((await verified(dir)).damage).toEqual([
      expect.stringMatching(`^${path.basename(files[2] ?? '')} was truncated`),
    ]);
  });

  test('swapped segments are detected', async () => {
    const { dir, files, names } = await threeSegments();
    const [first = '', second = ''] = files;
    await rename(first, `${first}.tmp`);
    await rename(second, first);
    await rename(`${first}.tmp`, second);
    expect((await verified(dir)).damage).toEqual([
      `${names[0]} was renamed or copied: it was written as ${names[1]}`,
      `${names[1]} was renamed or copied: it was written as ${names[0]}`,
    ]);
  });

  test('replacement of the directory by an earlier copy, an empty one or none is detected', async () => {
    const { dir, audit, names } = await threeSegments();
    await cp(audit, `${audit}.copy`, { recursive: true });
    const { trail, call } = auditLogIn(dir);
    await call();
    await trail.close();
    const present = (await segmentsIn(dir)).map((file) => path.basename(file));
    const newest = present.find((name) => !names.includes(name)) ?? '';
    await rm(audit, { recursive: true });
    await rename(`${audit}.copy`, audit);
    expect((await verified(dir)).damage).toEqual([expect.stringContaining(`${newest} is missing`)]);
    await rm(audit, { recursive: true });
    const all = [...names, newest].map((name) => expect.stringContaining(`${name} is missing`));
    expect((await verified(dir)).damage).toEqual(expect.arrayContaining(all));
    await mkdir(audit, { mode: 0o700 });
    expect((await verified(dir)).damage).toEqual(expect.arrayContaining(all));
  });

  test('an added segment of another audit directory with the same key is detected', async () => {
    const { dir } = await threeSegments();
    const other = auditLogIn(dir, { dir: path.join(dir, 'other') });
    await other.call();
    await other.trail.close();
    const options = { dir: path.join(dir, 'other'), stateDir: dir, accept: false };
    expect(await verifyDirectory(options)).toMatchObject({ segments: 1, complete: 1, findings: [] });
    await cp(path.join(dir, 'other'), path.join(dir, 'audit'), { recursive: true });
    expect((await verified(dir)).damage).toEqual([expect.stringContaining('is not in the ledger')]);
  });
});

describe('a segment without an end in the ledger', () => {
  test('is not reported complete, and its verified entries cannot be removed', async () => {
    const { dir, lines, rewrite } = await threeCalls({ close: false });
    expect(await verified(dir)).toMatchObject({ segments: 1, complete: 0, damage: [] });
    await rewrite(lines.slice(0, 4));
    const cut = 'was truncated: it ends with entry 3, but the ledger has entry 6';
    expect((await verified(dir)).damage).toEqual([expect.stringContaining(cut)]);
    expect((await verified(dir)).damage).toEqual([expect.stringContaining(cut)]);
  });

  test('may grow between two verifications', async () => {
    const dir = await freshDir();
    const { trail, call } = auditLogIn(dir);
    await call();
    await verified(dir);
    await call();
    expect((await verified(dir)).damage).toEqual([]);
    await trail.close();
    expect(await verified(dir)).toMatchObject({ complete: 1, findings: [] });
  });
});

describe('--accept', () => {
  test('accepts missing or truncated segments once, but never edits', async () => {
    const { dir, files } = await threeSegments();
    await rm(files[0] ?? '');
    const lines = (await readFile(files[1] ?? '', 'utf8')).split('\n');
    await writeFile(files[1] ?? '', `${lines.slice(0, 2).join('\n')}\n`);
    expect((await verified(dir)).damage).toHaveLength(2);
    const accepting = await verified(dir, true);
    expect(accepting.damage).toEqual([]);
    expect(accepting.notes.filter((note) => note.includes('accepted: '))).toHaveLength(2);
    expect((await verified(dir)).damage).toEqual([]);
    await writeFile(files[2] ?? '', (await readFile(files[2] ?? '', 'utf8')).replace('df -h', 'df -k'));
    expect((await verified(dir, true)).damage).toEqual([expect.stringContaining('edited')]);
  });

  test('adopts segments without a ledger, and detects later removals', async () => {
    const { dir, files } = await threeSegments();
    await rm(ledgerIn(dir));
    expect((await verified(dir)).damage).toHaveLength(3);
    expect((await verified(dir, true)).damage).toEqual([]);
    expect(await verified(dir)).toMatchObject({ complete: 3, findings: [] });
    await rm(files[1] ?? '');
    expect((await verified(dir)).damage).toEqual([expect.stringContaining('is missing')]);
  });
});

describe('the ledger', () => {
  test('detects an edited line, and tolerates an incomplete line after a crash', async () => {
    const { dir } = await threeSegments();
    await appendFile(ledgerIn(dir), '{"type":"created","at":"20');
    const { trail, call } = auditLogIn(dir);
    await call();
    await trail.close();
    expect(await verified(dir)).toMatchObject({ complete: 4, findings: [] });
    const text = await readFile(ledgerIn(dir), 'utf8');
    await writeFile(ledgerIn(dir), text.replace('"seq":3', '"seq":2'));
    expect((await verified(dir)).damage).toEqual([
      expect.stringMatching(/^audit-ledger-[0-9a-f]{16}\.jsonl line 2 was edited or damaged/),
    ]);
  });

  test('is named when it cannot be written and calls are refused', async () => {
    const dir = await freshDir();
    await mkdir(ledgerIn(dir));
    const { call } = auditLogIn(dir);
    await expect(call()).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining(`the audit ledger ${ledgerIn(dir)} cannot be written`),
    });
    await rm(ledgerIn(dir), { recursive: true });
    await call();
    expect((await verified(dir)).damage).toEqual([]);
  });
});

describe('a claim about the arguments of a call', () => {
  const args = { vmid: 101, command: "PASSWORD=hunter2 sh -c 'echo \u202e \u001b[2J'", timeout: 5 };

  test('is proved for exactly these arguments in any order, also when they are logged redacted', async () => {
    const dir = await freshDir();
    const { trail } = auditLogIn(dir, { redact: async () => 'all redacted' });
    const { id } = await trail.begin({ ...BEGIN, args });
    await trail.refused({ ...BEGIN, args: { ...args, vmid: 102 } }, 'POLICY_DENIED');
    const claimed = async (call: string, claim: Readonly<Record<string, unknown>>) =>
      (await verified(dir, false, { call, args: claim })).claim;
    const { timeout, command, vmid } = args;
    expect(await claimed(id, { timeout, command, vmid })).toBe('proved');
    expect(await claimed(id, { command, vmid })).toBe('other arguments');
    expect(await claimed(id, { ...args, command: `${command} ` })).toBe('other arguments');
    expect(await claimed(id, { ...args, vmid: '101' })).toBe('other arguments');
    expect(await claimed(id.replace(/1$/, '2'), { ...args, vmid: 102 })).toBe('proved');
    expect(await claimed(id.replace(/1$/, '3'), args)).toBe('no such call');
  });

  test('is not proved by an edited entry', async () => {
    const { dir, lines, rewrite } = await threeCalls();
    const { call } = JSON.parse(at(lines, 3));
    const claim = { call, args: { vmid: 101, command: 'df -k' } };
    expect((await verified(dir, false, { ...claim, args: BEGIN.args })).claim).toBe('proved');
    await rewrite(lines.with(3, edited(lines[3], 'df -h', 'df -k')));
    expect((await verified(dir, false, claim)).claim).toBe('no such call');
  });
});

test('ignores symlinks, directories and named pipes in the audit directory', async () => {
  const { dir, file } = await threeCalls();
  await mkdir(path.join(path.dirname(file), '1.jsonl'));
  execFileSync('mkfifo', [path.join(path.dirname(file), '2.jsonl')]);
  expect((await verified(dir)).damage).toEqual([]);
  await rename(file, `${file}.moved`);
  await symlink(`${file}.moved`, file);
  expect((await verified(dir)).damage.join('\n')).toMatch(/is missing/);
});

describe('distinguishes a crash from tampering', () => {
  test('when the last two entries are cut at any byte', async () => {
    const { dir, file, lines } = await threeCalls({ close: false });
    const bytes = await readFile(file);
    const from = Buffer.byteLength(lines.slice(0, -2).join('\n')) + 1;
    for (let size = from; size < bytes.length; size += 1) {
      await writeFile(file, bytes.subarray(0, size));
      const { damage, notes, entries } = await verified(dir);
      const whole = bytes.subarray(0, size).filter((byte) => byte === 0x0a).length;
      expect({ size, damage, entries }).toEqual({ size, damage: [], entries: whole });
      const torn = notes.filter((note) => note.includes('is incomplete'));
      expect(torn.length, `${size}`).toBe(bytes[size - 1] === 0x0a ? 0 : 1);
    }
  });

  test('when the first entry is cut at any byte, or is missing', async () => {
    const { dir, file, lines } = await threeCalls({ close: false });
    const bytes = await readFile(file);
    for (let size = 0; size < Buffer.byteLength(lines[0] ?? ''); size += 1) {
      await writeFile(file, bytes.subarray(0, size));
      const { damage, notes } = await verified(dir);
      expect({ size, damage }).toEqual({ size, damage: [] });
      expect(notes.join()).toMatch(size === 0 ? /is empty/ : /is incomplete/);
    }
  });

  test('when zeros follow after a power failure', async () => {
    const { dir, file } = await threeCalls({ close: false });
    await writeFile(file, Buffer.concat([await readFile(file), Buffer.alloc(4096)]));
    const { damage, notes } = await verified(dir);
    expect(damage).toEqual([]);
    expect(notes).toContainEqual(expect.stringContaining('is incomplete (4096 bytes)'));
  });

  test('reports an incomplete line after a regular end as damage', async () => {
    const { dir, file } = await threeCalls();
    await writeFile(file, Buffer.concat([await readFile(file), Buffer.from('{"seq"')]));
    expect((await verified(dir)).damage).toEqual([
      expect.stringContaining('6 bytes were added after the end'),
    ]);
  });

  test('reports a call without an end with its running process', async () => {
    const dir = await freshDir();
    const { trail } = auditLogIn(dir);
    const { id } = await trail.begin(BEGIN);
    expect((await verified(dir)).notes).toEqual([
      expect.stringMatching(new RegExp(`is still open: process ${process.pid} is running`)),
      expect.stringMatching(
        new RegExp(
          `call ${id} \\(proxmox_container_exec_command on 101,.*has no end: it may still be running`,
        ),
      ),
    ]);
  });
});

test('verifies an empty log without findings', async () => {
  const dir = await freshDir();
  expect(await verified(dir)).toMatchObject({ segments: 0, findings: [] });
  await mkdir(path.join(dir, 'audit'));
  expect(await verified(dir)).toMatchObject({ segments: 0, findings: [] });
});

function at(lines: readonly string[], index: number): string {
  return lines[index] ?? '';
}

/** Replaces the first digit. */
function otherMac(line: string): string {
  return line.replace(/(?<="mac":").(?=[0-9a-f]{63}"}$)/, (digit) => (digit === '0' ? '1' : '0'));
}

function edited(line: string | undefined, from: string | RegExp, to: string): string {
  const changed = (line ?? '').replace(from, to);
  if (changed === line) throw new Error(`nothing to edit in ${line}`);
  return changed;
}

/** The last record, sealed by an attacker who lacks only the key. */
function forged(lines: readonly string[]): string {
  const last = unseal(Buffer.from(at(lines, lines.length - 1)));
  const before = unseal(Buffer.from(at(lines, lines.length - 2)));
  return seal(last?.body.toString() ?? '', before?.mac ?? GENESIS, Buffer.from('a guess')).line.trimEnd();
}
