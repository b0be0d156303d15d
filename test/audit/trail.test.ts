import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../rig/until.ts';
import { auditLogIn, BEGIN, END, entriesIn, freshDir, ledgerIn, segmentsIn, verified } from './records.ts';

describe('the audit log', () => {
  test('links begin and end of a call in one chain that verifies without findings', async () => {
    const dir = await freshDir();
    const { trail, call } = auditLogIn(dir);
    await call({}, { exitCode: 3, bytes: 7, survivors: 0 });
    await trail.refused({ ...BEGIN, outcome: 'deny', rule: 'no-exec' }, 'POLICY_DENIED');
    await trail.close();
    const records = await entriesIn(dir);
    expect(records.map(({ seq, type }) => [seq, type])).toEqual([
      [0, 'open'],
      [1, 'begin'],
      [2, 'end'],
      [3, 'refused'],
      [4, 'closed'],
    ]);
    const { guest: _, ...called } = BEGIN;
    expect(records[1]).toMatchObject({ ...called, name: 'web', node: 'pve1' });
    expect(records[2]).toMatchObject({
      call: records[1]?.type === 'begin' ? records[1].call : '',
      code: 'ok',
      exitCode: 3,
      bytes: 7,
      survivors: 0,
      durationMs: 12,
      result: createHash('sha256').update('done').digest('hex'),
    });
    expect(records[3]).toMatchObject({ outcome: 'deny', rule: 'no-exec', code: 'POLICY_DENIED' });
    expect(await verified(dir)).toMatchObject({
      segments: 1,
      entries: 5,
      calls: 1,
      complete: 1,
      findings: [],
    });
  });

  test('is readable by its owner only', async () => {
    const dir = await freshDir();
    const { trail, call } = auditLogIn(dir);
    await call();
    await trail.close();
    await verified(dir);
    const modeOf = async (file: string) => (await stat(file)).mode & 0o777;
    expect(await modeOf(path.join(dir, 'audit'))).toBe(0o700);
    for (const file of [...(await segmentsIn(dir)), path.join(dir, 'audit.key'), ledgerIn(dir)])
      expect([file, await modeOf(file)]).toEqual([file, 0o600]);
  });

  test('is not created by a process without calls', async () => {
    const dir = await freshDir();
    await auditLogIn(dir).trail.close();
    await expect(stat(path.join(dir, 'audit'))).rejects.toThrow('ENOENT');
  });

  test('chains many concurrent calls in order', async () => {
    const dir = await freshDir();
    const { trail, call } = auditLogIn(dir);
    await Promise.all(
      Array.from({ length: 300 }, (_, index) => call({ effect: index % 2 ? 'read' : 'exec' })),
    );
    await trail.close();
    expect((await entriesIn(dir)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 602 }, (_, index) => index),
    );
    expect(await verified(dir)).toMatchObject({ calls: 300, findings: [] });
  });

  test('writes an end during another write without waiting for the next call', async () => {
    const dir = await freshDir();
    const { trail } = auditLogIn(dir);
    const calls = await Promise.all(Array.from({ length: 20 }, () => trail.begin(BEGIN)));
    // The others arrive while the first is being written.
    const ends = calls.map(async (call, index) => {
      for (let turn = 0; turn < index * 20; turn += 1) await Promise.resolve();
      await call.end(END);
    });
    let written = false;
    void Promise.all(ends).then(() => {
      written = true;
    });
    await until(() => written);
    expect((await entriesIn(dir)).filter(({ type }) => type === 'end')).toHaveLength(20);
  });

  test('continues the chain in the next segment when a segment is full', async () => {
    const dir = await freshDir();
    const { trail, call } = auditLogIn(dir, { maxBytes: 2000 });
    for (let calls = 0; calls < 10; calls += 1) await call();
    await trail.close();
    expect((await segmentsIn(dir)).length).toBeGreaterThan(3);
    expect(await verified(dir)).toMatchObject({ calls: 10, findings: [] });
    const records = await entriesIn(dir);
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index));
  });

  test('gives each process that shares directory and key its own segment', async () => {
    const dir = await freshDir();
    const trails = Array.from({ length: 5 }, () => auditLogIn(dir));
    await Promise.all(trails.map(({ call }) => call()));
    await Promise.all(trails.map(({ trail }) => trail.close()));
    expect(await verified(dir)).toMatchObject({ segments: 5, calls: 5, findings: [] });
  });

  test('redacts arguments and argument names, and truncates only what no tool accepts', async () => {
    const dir = await freshDir();
    const redact = async (text: string) => text.replaceAll('hunter2', '[redacted]');
    const { trail, call } = auditLogIn(dir, { redact });
    // Text that looks like many secrets becomes longer when redacted, and is still logged in full.
    const script = `${'hunter2;'.repeat(1200)}touch /tmp/x`;
    await call({
      args: { command: script, hunter2: 1, deep: { a: ['hunter2'] }, long: 'x'.repeat(10_001) },
      guest: { name: 'hunter2', node: 'n' },
    });
    await call({ args: Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`argument${n}`, n])) });
    await trail.close();
    const text = await readFile((await segmentsIn(dir))[0] ?? '', 'utf8');
    expect(text).not.toContain('hunter2');
    expect((await entriesIn(dir))[1]).toMatchObject({
      name: '[redacted]',
      args: {
        command: script.replaceAll('hunter2', '[redacted]'),
        '[redacted]': 1,
        deep: { a: ['[redacted]'] },
        long: { length: 10_001, begins: 'x'.repeat(1024) },
      },
    });
    expect((await entriesIn(dir))[3]).toMatchObject({ args: { omitted: { length: expect.any(Number) } } });
  });

  test('redacts the arguments of a call once, although each of its containers has an entry', async () => {
    const dir = await freshDir();
    const redacted: string[] = [];
    const redact = async (text: string) => {
      redacted.push(text);
      return '[redacted]';
    };
    const { call } = auditLogIn(dir, { redact });
    const args = { command: 'df -h', vmids: [101, 102, 103] };
    await Promise.all(args.vmids.map((vmid) => call({ vmid, args })));
    expect(redacted.filter((text) => text === 'df -h')).toHaveLength(1);
    const begun = (await entriesIn(dir)).flatMap((entry) => (entry.type === 'begin' ? [entry.args] : []));
    expect(begun).toEqual(Array.from({ length: 3 }, () => ({ '[redacted]': [101, 102, 103] })));
  });

  test('logs a refused call with arguments nested 20,000 levels deep', async () => {
    const dir = await freshDir();
    const { trail } = auditLogIn(dir);
    let nested: Readonly<Record<string, unknown>> = {};
    for (let level = 0; level < 20_000; level += 1) nested = { a: nested };
    await trail.refused({ ...BEGIN, args: { command: 'x', nested } }, 'INVALID_INPUT');
    await trail.close();
    expect((await entriesIn(dir))[1]).toMatchObject({ type: 'refused', args: { command: 'x' } });
    expect(await verified(dir)).toMatchObject({ complete: 1, findings: [] });
  });

  test('escapes control characters', async () => {
    const dir = await freshDir();
    const { trail, call } = auditLogIn(dir);
    const command = 'a\u001B[2J\u009Bb\u202Ec\u200Bd\u{E0041}e\uFEFF\u2028\u00ad\u{e0101} ü 👩‍🔧';
    await call({ args: { command } });
    await trail.close();
    const text = await readFile((await segmentsIn(dir))[0] ?? '', 'utf8');
    expect(text.replaceAll('\n', '')).not.toMatch(
      /\p{Cc}|[\u202e\u200b\ufeff\u2028\u00ad]|[\u{e0000}-\u{e0fff}]/u,
    );
    expect(text).toContain(' ü 👩‍🔧');
    expect((await entriesIn(dir))[1]).toMatchObject({ args: { command } });
  });
});

describe('an audit log that cannot be written', () => {
  test.each([
    ['the directory is a file', async (dir: string) => writeFile(path.join(dir, 'audit'), '')],
    [
      'other users have write access',
      async (dir: string) => mkdir(path.join(dir, 'audit')).then(() => chmod(path.join(dir, 'audit'), 0o777)),
    ],
    ['the key is invalid', async (dir: string) => writeFile(path.join(dir, 'audit.key'), 'short')],
  ])('refuses calls and recovers afterwards: %s', async (what, spoil) => {
    const dir = await freshDir();
    await spoil(dir);
    const { trail, call, log } = auditLogIn(dir);
    await expect(call()).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringMatching(
        /not executed.*(not a directory|other users have write access|64 hexadecimal)/s,
      ),
    });
    await trail.refused(BEGIN, 'INVALID_INPUT');
    await expect(call({ effect: 'read' })).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    expect(log).toEqual([expect.stringMatching(/^error calls are refused/)]);

    await rm(path.join(dir, 'audit'), { recursive: true, force: true });
    if (what === 'the key is invalid') await rm(path.join(dir, 'audit.key'));
    await call();
    await trail.close();
    expect(log).toEqual([expect.anything(), expect.stringMatching(/^warn calls are logged again/)]);
    expect((await entriesIn(dir))[1]).toMatchObject({ type: 'gap', refused: 3 });
    expect((await verified(dir)).notes).toEqual([expect.stringContaining('3 entries could not be written')]);
  });

  // Only root can mount. Otherwise test/audit/server.test.ts covers this with a file size limit.
  test.runIf(process.getuid?.() === 0)(
    'leaves no partial entry on a full disk, and resumes when there is space',
    async () => {
      const dir = await freshDir();
      await mkdir(path.join(dir, 'audit'), { mode: 0o700 });
      execFileSync('mount', [
        '-t',
        'tmpfs',
        '-o',
        'size=64k,mode=700',
        'audit-test',
        path.join(dir, 'audit'),
      ]);
      onTestFinished(() => void execFileSync('umount', ['-l', path.join(dir, 'audit')]));
      const { trail, call } = auditLogIn(dir);
      await call();
      const filler = path.join(dir, 'audit/filler');
      await writeFile(filler, Buffer.alloc(65_536)).catch(() => {});
      const refusal = async () => {
        for (let calls = 0; calls < 20; calls += 1) await call({ args: { command: 'x'.repeat(1000) } });
      };
      await expect(refusal()).rejects.toMatchObject({
        code: 'AUDIT_UNAVAILABLE',
        message: expect.stringMatching(/: the disk is full\.$/),
      });
      await rm(filler);
      await call();
      await trail.close();
      const { damage, notes } = await verified(dir);
      expect({ damage, notes }).toEqual({ damage: [], notes: [expect.stringContaining('the disk is full')] });
    },
  );

  test('reports a segment that was removed while its process ran as missing', async () => {
    const dir = await freshDir();
    const { trail, call } = auditLogIn(dir);
    await call();
    const [gone = ''] = await segmentsIn(dir);
    await rm(gone);
    await call();
    await trail.close();
    const { damage } = await verified(dir);
    expect(damage).toEqual([expect.stringContaining(`${path.basename(gone)} is missing; it was created at`)]);
    // The operator decides on retention: an intended removal is accepted once.
    expect(await verified(dir, true)).toMatchObject({
      damage: [],
      notes: [expect.stringContaining('accepted')],
    });
    expect(await verified(dir)).toMatchObject({ findings: [] });
  });

  test('reports the end of a call after the close in the server log', async () => {
    const dir = await freshDir();
    const { trail, log } = auditLogIn(dir);
    const call = await trail.begin(BEGIN);
    await trail.close();
    await call.end(END);
    expect(log).toEqual([expect.stringContaining(call.id)]);
    expect((await entriesIn(dir)).at(-1)).toMatchObject({ type: 'closed', unended: [call.id] });
    expect((await verified(dir)).notes).toEqual([
      expect.stringMatching(/call .* has no end: the process was killed/),
    ]);
    await expect(trail.begin(BEGIN)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });
});

test('reports clock changes as notes, not as damage', async () => {
  const dir = await freshDir();
  let now = Date.parse('2026-03-01T12:00:00Z');
  let up = 0;
  const { trail, call } = auditLogIn(dir, { clock: { now: () => new Date(now), up: () => up } });
  await call();
  now -= 3_600_000;
  up += 10;
  await call();
  now += 60_000;
  up += 500;
  await call();
  await trail.close();
  const { damage, notes } = await verified(dir);
  expect(damage).toEqual([]);
  expect(notes).toEqual([
    expect.stringContaining('was set back by 3600 s before entry 3'),
    expect.stringMatching(/was set forward, or the machine slept, by 60 s before entry 5/),
  ]);
});

test('can be moved together with key and ledger', async () => {
  const dir = await freshDir();
  const { trail, call } = auditLogIn(dir);
  await call();
  await trail.close();
  const elsewhere = await freshDir();
  await rename(path.join(dir, 'audit'), path.join(elsewhere, 'audit'));
  await rename(path.join(dir, 'audit.key'), path.join(elsewhere, 'audit.key'));
  await rename(ledgerIn(dir), ledgerIn(elsewhere));
  expect(await verified(elsewhere)).toMatchObject({ segments: 1, complete: 1, findings: [] });
});
