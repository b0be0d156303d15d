import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCli, startCli } from '../cli/run.ts';
import { until } from '../rig/until.ts';
import { auditLogIn, BEGIN, END, freshDir, segmentsIn } from './records.ts';

function audit(dir: string, ...args: string[]) {
  return runCli(['audit', ...args], { cwd: dir, env: { STATE_DIR: dir, TZ: 'UTC' } });
}

/** Calls of several kinds, by one process that has ended. */
async function someCalls() {
  const dir = await freshDir();
  let now = Date.parse('2026-03-01T12:00:00Z');
  let up = 0;
  const clock = {
    now: () => new Date(now),
    up: () => up,
  };
  const { trail, call } = auditLogIn(dir, { clock });
  const minute = () => {
    now += 60_000;
    up += 60_000;
  };
  await call();
  minute();
  await call({ tool: 'proxmox_list_containers', effect: 'read', vmid: null, guest: null, args: {} });
  minute();
  await call(
    { vmid: 102, args: { vmid: 102, command: 'a\u001B[2Jb\nc\u202E' } },
    { exitCode: 3, durationMs: 61_000 },
  );
  minute();
  await call({ vmid: 103, caller: 'ci' }, { code: 'TIMEOUT', exitCode: null, survivors: 2 });
  minute();
  await trail.refused({ ...BEGIN, outcome: 'deny', rule: 'no-exec-at-night' }, 'POLICY_DENIED');
  minute();
  const { id } = await trail.begin(BEGIN);
  await trail.close();
  return { dir, unended: id };
}

/** A log of 110 MB in segments of the usual size, in a directory. */
async function longLog(): Promise<string> {
  const dir = await freshDir();
  const { trail, call } = auditLogIn(dir, { maxBytes: 10_000_000 });
  const command = `echo ${'x'.repeat(9_000)}`;
  for (let done = 0; done < 12_000; done += 100) {
    await Promise.all(Array.from({ length: 100 }, () => call({ args: { vmid: 101, command } })));
  }
  await trail.close();
  return dir;
}

test('a log that is larger than the memory can be shown and verified', async () => {
  const dir = await longLog();
  const env = { STATE_DIR: dir, NODE_OPTIONS: '--max-old-space-size=96' };
  const shown = await runCli(['audit', 'show', '--json', '--last', '3'], { cwd: dir, env });
  expect(shown.code, shown.stderr.slice(0, 1_000)).toBe(0);
  expect(shown.stdout.trimEnd().split('\n')).toHaveLength(6);
  const checked = await runCli(['audit', 'verify'], { cwd: dir, env });
  expect(checked.code, checked.stderr.slice(0, 1_000)).toBe(0);
  expect(checked.stdout).toContain('12000 executed calls');
});

describe('audit show', () => {
  test('prints one aligned line per call, in local time, with control characters escaped', async () => {
    const { dir } = await someCalls();
    const { stdout, code, stderr } = await audit(dir, 'show');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(7);
    expect(lines[1]).toMatch(
      /^2026-03-01 12:00:00 {2}local {3}container_exec_command {2}101 web .*allow: standard .*ok +12 ms +command="df -h"$/,
    );
    expect(lines[3]).toMatch(/exit 3 +1 min 1 s +command="a\\u001b\[2Jb\\nc<U\+202E>"$/);
    expect(lines[4]).toMatch(/^2026-03-01 12:03:00 {2}ci .*TIMEOUT, 2 left/);
    expect(lines[5]).toMatch(/deny: no-exec-at-night +POLICY_DENIED/);
    expect(lines[6]).toMatch(/no end/);
    const column = lines[0]?.indexOf('DECISION') ?? 0;
    for (const line of lines.slice(1))
      expect(line.slice(column - 2, column + 5)).toMatch(/^ {2}(allow|deny)/);
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\u202E/u);
  });

  test.each<[string[], number]>([
    [['--failed'], 4],
    [['--tool', 'list_containers'], 1],
    [['--tool', 'proxmox_list_containers'], 1],
    [['--vmid', '102'], 1],
    [['--caller', 'ci'], 1],
    [['--outcome', 'deny'], 1],
    [['--outcome', 'timeout'], 1],
    [['--since', '2026-03-01T12:02Z', '--until', '2026-03-01T12:03:00Z'], 2],
    [['--since', '1d'], 0],
    [['--last', '2'], 2],
    [['--vmid', '101', '--failed', '--outcome', 'allow'], 1],
  ])('%j: %i calls', async (filters, calls) => {
    const { dir } = await someCalls();
    const { stdout, code } = await audit(dir, 'show', ...filters);
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => line.startsWith('2026'))).toHaveLength(calls);
  });

  test('accepts the ID and the file name of a segment in --session, and prints raw entries with --json', async () => {
    const { dir, unended } = await someCalls();
    await auditLogIn(dir).call();
    const [file = ''] = await segmentsIn(dir);
    const text = await readFile(file, 'utf8');
    for (const session of [unended.split('-')[0] ?? '', file]) {
      const { stdout } = await audit(dir, 'show', '--json', '--session', session);
      const calls = text.split('\n').filter((line) => /"type":"(begin|end|refused)"/.test(line));
      expect(stdout.trimEnd().split('\n').sort()).toEqual(calls.sort());
    }
  });

  test.each([
    [[], 'audit needs verify, show or tail'],
    [['shw'], "not 'shw'"],
    [['show', 'x'], 'unexpected argument'],
    [['show', '--since', 'yesterday'], '--since needs a duration'],
    [['show', '--vmid', 'web'], '--vmid needs a whole number'],
    [['show', '--accept'], '--accept is an option of audit verify'],
  ])('%j: exits with 2', async (args, message) => {
    const { code, stdout, stderr } = await audit(await freshDir(), ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('audit verify', () => {
  test('exits with 0 for an intact log and with 1 for a damaged one, naming segment and entry', async () => {
    const { dir } = await someCalls();
    const well = await audit(dir, 'verify');
    expect(well).toMatchObject({ code: 0, stderr: '' });
    expect(well.stdout).toMatch(
      /call \S+ \(.*has no end: the process was killed\n\n1 segment, 12 entries, 5 executed calls in .*audit\nThe audit log is complete and unchanged\.\n$/,
    );
    const [file = ''] = await segmentsIn(dir);
    await writeFile(file, (await readFile(file, 'utf8')).replace('df -h', 'df -k'));
    const damaged = await audit(dir, 'verify');
    expect(damaged.code).toBe(1);
    expect(damaged.stdout).toMatch(
      /✗ \S+\.jsonl line 2 \(entry 1\) does not continue the chain: it was edited/,
    );
    expect(damaged.stdout).toContain('The audit log is DAMAGED: 1 finding.');
    const json = await audit(dir, 'verify', '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      segments: 1,
      findings: expect.arrayContaining([expect.objectContaining({ kind: 'damage' })]),
    });
  });

  test('does not call a segment complete when a killed process may have lost its last entries', async () => {
    const dir = await freshDir();
    await auditLogIn(dir).call();
    const { code, stdout } = await audit(dir, 'verify');
    expect(code).toBe(0);
    expect(stdout).toContain('1 segment without an end in the ledger: the present entries are unchanged');
    expect(stdout).not.toContain('complete and unchanged');
  });

  test('exits with 0 if --arguments match the logged call, 1 if not, 2 if they are not JSON', async () => {
    const { dir, unended } = await someCalls();
    const claim = (json: string) => audit(dir, 'verify', '--call', unended, '--arguments', json);
    const proved = await claim('{"command":"df -h","vmid":101}');
    expect(proved).toMatchObject({ code: 0 });
    expect(proved.stdout).toContain('The call was logged with exactly these arguments.');
    const other = await claim('{"command":"df -k","vmid":101}');
    expect(other).toMatchObject({ code: 1 });
    expect(other.stdout).toContain('The call was logged with DIFFERENT arguments.');
    expect(await claim('df -h')).toMatchObject({ code: 2 });
    expect(await audit(dir, 'verify', '--call', unended)).toMatchObject({ code: 2 });
  });

  test('exits with 1 for a log without its key, and with 0 without a log', async () => {
    const { dir } = await someCalls();
    await writeFile(`${dir}/audit.key`, 'x');
    const { code, stderr } = await audit(dir, 'verify');
    expect(code).toBe(1);
    expect(stderr).toContain('does not contain a key');
    const nothing = await audit(await freshDir(), 'verify');
    expect(nothing).toMatchObject({ code: 0, stdout: expect.stringContaining('has no entries') });
  });
});

describe('audit tail', () => {
  test('follows new calls of all processes until Ctrl-C', async () => {
    const dir = await freshDir();
    const first = auditLogIn(dir);
    await first.call({ vmid: 1 });
    const { child, ended } = startCli(['audit', 'tail'], { cwd: dir, env: { STATE_DIR: dir } });
    onTestFinished(() => void child.kill('SIGKILL'));
    let seen = '';
    child.stdout?.on('data', (data: string) => {
      seen += data;
    });
    await until(() => / 1 web /.test(seen));
    await first.call({ vmid: 2 });
    const second = auditLogIn(dir);
    await second.call({ vmid: 3 }, { exitCode: 4 });
    await until(() => / 2 web .*ok/.test(seen) && / 3 web .*exit 4/.test(seen));
    // A long-running command appears before it ends.
    const slow = await second.trail.begin({ ...BEGIN, vmid: 5 });
    await until(() => / 5 web .*running/.test(seen));
    await slow.end(END);
    await until(() => / 5 web .*ok/.test(seen));
    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
  });
});
