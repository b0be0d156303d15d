import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { type AuditEntry, parseEntry } from '../../src/governance/audit/audit-entry.ts';
import { type AuditLogOptions, FileAuditLog } from '../../src/governance/audit/audit-log.ts';
import type { AuditBegin, AuditEnd } from '../../src/governance/audit/audit-types.ts';
import { ledgerFile } from '../../src/governance/audit/ledger.ts';
import {
  type Verification,
  type VerifyOptions,
  verifyDirectory,
} from '../../src/governance/audit/verify-dir.ts';

export const BEGIN: AuditBegin = {
  caller: 'local',
  tool: 'proxmox_container_exec_command',
  effect: 'exec',
  vmid: 101,
  guest: { name: 'web', node: 'pve1' },
  args: { vmid: 101, command: 'df -h' },
  outcome: 'allow',
  rule: 'standard',
  approval: null,
};

export const END: AuditEnd = {
  code: 'ok',
  exitCode: 0,
  bytes: null,
  resultText: 'done',
  durationMs: 12,
  survivors: null,
};

/** Log messages by level. */
export function logOf() {
  const lines: string[] = [];
  const log = (level: string) => (fields: object | string, message?: string) => {
    lines.push(`${level} ${typeof fields === 'string' ? fields : `${message} ${JSON.stringify(fields)}`}`);
  };
  return {
    lines,
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
  };
}

/** Creates an empty directory for one test. */
export async function freshDir(): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'audit-test-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** An audit log of this process in `dir`, with what else a test needs. */
export function auditLogIn(dir: string, options: Partial<AuditLogOptions> = {}) {
  const { lines, logger } = logOf();
  const trail = new FileAuditLog({ ...optionsIn(dir), logger, ...options });
  onTestFinished(() => trail.close());
  const call = async (begin: Partial<AuditBegin> = {}, end: Partial<AuditEnd> = {}) => {
    const begun = await trail.begin({ ...BEGIN, ...begin });
    await begun.end({ ...END, ...end });
  };
  return { trail, call, log: lines };
}

function optionsIn(dir: string) {
  return {
    dir: path.join(dir, 'audit'),
    stateDir: dir,
    version: '0.0.0',
    maxBytes: 1_000_000,
    redact: async (text: string) => text,
  };
}

/** Verifies as `proxmox-mcp audit verify` does, and returns damages and notes as text. */
export async function verified(
  dir: string,
  accept = false,
  claim?: VerifyOptions['claim'],
): Promise<Verification & Record<'damage' | 'notes', string[]>> {
  const verification = await verifyDirectory({ ...optionsIn(dir), accept, claim });
  const texts = (kind: string) =>
    verification.findings.flatMap((each) => (each.kind === kind ? [`${each.segment} ${each.text}`] : []));
  return { ...verification, damage: texts('damage'), notes: texts('note') };
}

/** The path of the ledger. */
export function ledgerIn(dir: string): string {
  return ledgerFile(optionsIn(dir));
}

export async function segmentsIn(dir: string): Promise<string[]> {
  const names = await readdir(path.join(dir, 'audit')).catch(() => []);
  return names
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => path.join(dir, 'audit', name));
}

/** The records of all segments, in order. */
export async function entriesIn(dir: string): Promise<AuditEntry[]> {
  const texts = await Promise.all((await segmentsIn(dir)).map((file) => readFile(file, 'utf8')));
  return texts.flatMap((text) => text.split('\n')).flatMap((line) => parseEntry(line) ?? []);
}
