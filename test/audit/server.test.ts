import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { EntryOf } from '../../src/governance/audit/audit-entry.ts';
import { SimulatedNode } from '../e2e/simulated-node.ts';
import { connectClient, type TestClient } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { entriesIn, verified } from './records.ts';

const node = new SimulatedNode();
beforeAll(() => node.start());
afterAll(() => node.stop());

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'audit-server-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
});

/** A server whose state is in `dir`. */
async function serve(env: Readonly<Record<string, string>> = {}): Promise<TestClient> {
  const client = await connectClient({ env: { ...node.settings(), STATE_DIR: dir, ...env } });
  onTestFinished(() => client.close());
  return client;
}

const EXEC = 'proxmox_container_exec_command';
const exec = (client: TestClient, command: string) => client.callTool(EXEC, { vmid: CT.debian, command });

async function recordsOf<T extends EntryOf<'begin' | 'end' | 'refused'>['type']>(type: T) {
  return (await entriesIn(dir)).filter((record): record is EntryOf<T> => record.type === type);
}

describe('a server', () => {
  test('logs every call with its exit code and the hash of its result', async () => {
    const client = await serve();
    const { text } = await exec(client, 'echo hello; exit 3');
    await client.callTool('proxmox_list_containers');
    await client.close();
    const [begin, list] = await recordsOf('begin');
    expect(begin).toMatchObject({
      caller: 'local',
      tool: EXEC,
      effect: 'exec',
      vmid: CT.debian,
      args: { vmid: CT.debian, command: 'echo hello; exit 3' },
      outcome: 'allow',
    });
    expect(list).toMatchObject({ tool: 'proxmox_list_containers', effect: 'read', vmid: null });
    expect((await recordsOf('end'))[0]).toMatchObject({
      call: begin?.call,
      code: 'ok',
      exitCode: 3,
      result: createHash('sha256').update(text).digest('hex'),
    });
    expect(await verified(dir)).toMatchObject({ calls: 2, findings: [] });
  });

  test('logs refused calls with the reason', async () => {
    const client = await serve({ READ_ONLY: 'true' });
    await exec(client, 'true');
    await client.callTool('proxmox_container_status', { vmid: 'a' });
    await client.close();
    const refused = await recordsOf('refused');
    expect(refused.map(({ tool, code, outcome }) => [tool, code, outcome])).toEqual([
      [EXEC, 'READ_ONLY', 'deny'],
      ['proxmox_container_status', 'INVALID_INPUT', 'deny'],
    ]);
    expect(await recordsOf('begin')).toEqual([]);
    expect(await verified(dir)).toMatchObject({ findings: [] });
  });

  test('logs the end of a running call before its own shutdown', async () => {
    const client = await serve();
    void exec(client, 'sleep 4711');
    await until(async () => (await recordsOf('begin')).length === 1);
    await client.close();
    const records = await entriesIn(dir);
    expect(records.map(({ type }) => type)).toEqual(['open', 'begin', 'end', 'closed']);
    expect(records[2]).toMatchObject({ exitCode: null, code: expect.not.stringMatching(/^ok$/) });
    expect(await verified(dir)).toMatchObject({ findings: [] });
  });

  test('writes no audit log when a client only lists tools', async () => {
    const client = await serve();
    await client.listTools();
    await client.close();
    expect(await readdir(dir)).toEqual([]);
  });

  test('keeps its configured secrets out of the audit log', async () => {
    const secrets = {
      STATE_KEY: randomBytes(24).toString('hex'),
      AUDIT_KEY: randomBytes(24).toString('hex'),
      SSH_PASSWORD: randomBytes(8).toString('hex'),
      SSH_KEY_PASSPHRASE: randomBytes(8).toString('hex'),
    };
    const client = await serve(secrets);
    const all = Object.values(secrets).join(' ');
    await exec(client, `echo ${all}`);
    await client.callTool(EXEC, { vmid: CT.debian, command: ['x', all], [secrets.STATE_KEY]: all });
    await client.close();
    const files = await readdir(path.join(dir, 'audit'));
    const text = (
      await Promise.all(files.map((name) => readFile(path.join(dir, 'audit', name), 'utf8')))
    ).join('');
    expect(text).toContain('echo ');
    for (const [name, secret] of Object.entries(secrets)) {
      expect(text.includes(secret), name).toBe(false);
    }
    expect(await readdir(dir)).not.toContain('audit.key');
  });

  test('warns that nothing is logged with AUDIT=false', async () => {
    const client = await serve({ AUDIT: 'false' });
    expect((await exec(client, 'echo hello')).isError).toBe(false);
    expect(client.stderr()).toContain('NOTHING that is done through this server is logged');
    await client.close();
    expect(await readdir(dir)).toEqual([]);
  });
});

describe('an audit log that cannot grow', () => {
  /** Limits the file size of a running process: writes up to the limit are partial, as on a full disk. */
  const limit = (client: TestClient, bytes: string) =>
    execFileSync('prlimit', ['--pid', String(client.pid), `--fsize=${bytes}:unlimited`]);

  test('refuses calls with the reason, and resumes with the pending entries when there is space', async () => {
    const client = await serve();
    await exec(client, 'rm -f /tmp/go /tmp/done');
    const waiting = exec(client, 'while [ ! -e /tmp/go ]; do sleep 0.05; done; exit 7');
    await until(async () => (await recordsOf('begin')).length === 2);
    const size = (await readFile(await onlySegment())).length;
    limit(client, String(size + 100));

    const refused = await exec(client, 'touch /tmp/done');
    expect(refused).toMatchObject({ isError: true, data: { code: 'AUDIT_UNAVAILABLE' } });
    expect(refused.text).toMatch(/not executed.*file size limit/s);
    // A call that had begun still ends and its client gets the result, although the end cannot be logged now.
    node.simulator.container(CT.debian).write('/tmp/go', '');
    expect((await waiting).data).toMatchObject({ exit_code: 7 });
    expect((await client.callTool('proxmox_list_containers')).data).toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
    });
    expect((await readFile(await onlySegment())).length).toBe(size);
    expect(client.stderr()).toContain('calls are refused, because they cannot be logged');

    limit(client, 'unlimited');
    expect((await exec(client, 'test ! -e /tmp/done')).data).toMatchObject({ exit_code: 0 });
    await client.close();
    expect(
      (await entriesIn(dir)).slice(4).map((record) => [record.type, 'exitCode' in record && record.exitCode]),
    ).toEqual([
      ['gap', false],
      ['end', 7],
      ['begin', false],
      ['end', 0],
      ['closed', false],
    ]);
    const { damage, notes } = await verified(dir);
    expect(damage).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(/2 entries could not be written.*file size limit/)]);
  });
});

describe('kill -9 under load', () => {
  test('causes no damage, and loses neither the end of an answered call nor the begin of an executed one', async () => {
    let answered = 0;
    for (let round = 0; round < 8; round += 1) {
      const client = await serve();
      const file = `/tmp/effects-${round}`;
      let answers = 0;
      const worker = async () => {
        while (answers >= 0) {
          await exec(client, `echo x >> ${file}`);
          answers += 1;
        }
      };
      const workers = Array.from({ length: 8 }, () => worker().catch(() => {}));
      await until(() => answers > 0);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
      process.kill(client.pid, 'SIGKILL');
      await Promise.all(workers);
      answered += answers;
      await client.close();
      const { damage, segments } = await verified(dir);
      expect({ damage, segments }).toEqual({ damage: [], segments: round + 1 });
      const begins = (await recordsOf('begin')).filter(({ args }) => args.command === `echo x >> ${file}`);
      const effects = (await node.inContainer(CT.debian, ['cat', file])).stdout.split('\n').length - 1;
      expect(effects).toBeGreaterThan(0);
      expect(begins.length).toBeGreaterThanOrEqual(effects);
    }
    expect((await recordsOf('end')).length).toBeGreaterThanOrEqual(answered);
    const client = await serve();
    await exec(client, 'true');
    await client.close();
    const { damage, notes, segments } = await verified(dir);
    expect({ damage, segments }).toEqual({ damage: [], segments: 9 });
    expect(notes.filter((note) => /has no end: process \d+ was killed/.test(note))).toHaveLength(8);
  });
});

async function onlySegment(): Promise<string> {
  const [name = ''] = (await readdir(path.join(dir, 'audit'))).filter((each) => each.endsWith('.jsonl'));
  return path.join(dir, 'audit', name);
}
