import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FileTrail } from '../../src/audit/trail.ts';
import type { AuditBegin, AuditEnd } from '../../src/audit/types.ts';
import { atMost, type Row, takeTurns, timed } from './measure.ts';

const ROUNDS = 201;
const AT_ONCE = 64;

const BEGIN: AuditBegin = {
  caller: 'local',
  tool: 'proxmox_container_exec_command',
  effect: 'exec',
  vmid: 101,
  guest: { name: 'web', node: 'pve1' },
  args: { vmid: 101, command: 'systemctl status nginx --no-pager', timeout: 30 },
  outcome: 'allow',
  rule: 'standard',
  approval: null,
};
const END: AuditEnd = {
  code: 'ok',
  exitCode: 0,
  bytes: null,
  resultText: 'x'.repeat(25_000),
  durationMs: 12,
  survivors: null,
};

/** Begin and end of a call, beside a plain write and fdatasync of as many bytes to the same disk; redaction is measured apart. */
export async function record(): Promise<Row[]> {
  const dir = await mkdtemp(path.join(tmpdir(), 'bench-record-'));
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const trail = new FileTrail({
    dir: path.join(dir, 'audit'),
    stateDir: dir,
    version: '0',
    maxBytes: 10_000_000,
    redact: async (data) => data,
    logger: silent,
  });
  const file = await open(path.join(dir, 'floor'), 'a');
  const call = async (effect: AuditBegin['effect']) => (await trail.begin({ ...BEGIN, effect })).end(END);
  const line = 'x'.repeat(700);
  const floor = async () => {
    await file.write(line);
    await file.datasync();
    await file.write(line);
  };
  try {
    await call('exec');
    const [effect, read, disk, many] = await takeTurns(ROUNDS, [
      () => timed(() => call('exec')),
      () => timed(() => call('read')),
      () => timed(floor),
      () => timed(() => Promise.all(Array.from({ length: AT_ONCE }, () => call('exec')))),
    ]);
    return [
      { measure: 'record of a call that only reads', unit: 'ms', ours: read, floor: null, limit: atMost(1) },
      { measure: 'record of a call with an effect', unit: 'ms', ours: effect, floor: disk, limit: null },
      {
        measure: `the same ${AT_ONCE} times at once, each`,
        unit: 'ms',
        ours: many / AT_ONCE,
        floor: disk,
        limit: null,
      },
    ];
  } finally {
    await trail.close();
    await file.close();
    await rm(dir, { recursive: true, force: true });
  }
}
