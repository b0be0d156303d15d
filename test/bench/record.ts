import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileAuditLog } from '../../src/governance/audit/audit-log.ts';
import type { AuditBegin, AuditEnd } from '../../src/governance/audit/audit-types.ts';
import { atMost, type Row, takeTurns, timed } from './measure.ts';

const ROUNDS = 201;
const AT_ONCE = 64;
/** The approximate duration of a command in a container. */
const WORK_MS = 15;

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

/**
 * Begin and end of a call, compared with a plain write and fdatasync of as many bytes on the same disk; redaction is measured
 * separately.
 */
export async function record(): Promise<Row[]> {
  const dir = await mkdtemp(path.join(tmpdir(), 'bench-record-'));
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const trail = new FileAuditLog({
    dir: path.join(dir, 'audit'),
    stateDir: dir,
    version: '0',
    maxBytes: 10_000_000,
    redact: async (data) => data,
    logger: silent,
  });
  const file = await open(path.join(dir, 'floor'), 'a');
  /** What the audit log adds to a call that takes `workMs`; the disk works during that time. */
  const call = async (effect: AuditBegin['effect'], workMs = 0): Promise<number> => {
    const before = performance.now();
    const begun = await trail.begin({ ...BEGIN, effect });
    const between = performance.now();
    if (workMs > 0) await sleep(workMs);
    const after = performance.now();
    await begun.end(END);
    return between - before + performance.now() - after;
  };
  const line = 'x'.repeat(700);
  const floor = async () => {
    await file.write(line);
    await file.datasync();
    await file.write(line);
  };
  try {
    await call('exec');
    const [effect, read, disk, many] = await takeTurns(ROUNDS, [
      () => call('exec', WORK_MS),
      () => call('read'),
      () => timed(floor),
      () => timed(() => Promise.all(Array.from({ length: AT_ONCE }, () => call('exec')))),
    ]);
    return [
      { measure: 'audit log, a call that only reads', unit: 'ms', ours: read, floor: null, limit: atMost(1) },
      {
        measure: `audit log, a call with an effect, of ${WORK_MS} ms`,
        unit: 'ms',
        ours: effect,
        floor: disk,
        limit: null,
      },
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
