import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../../../config/settings-schema.ts';
import { ApprovalStore } from '../../../governance/approval/request-store.ts';
import { auditDirOf } from '../../../governance/audit/open-audit-log.ts';
import type { Finding } from './check.ts';

/** Checks that STATE_DIR and the directory of the audit log are writable. Creates nothing. */
export async function checkStateDirs(config: Config): Promise<Finding<true>> {
  const { stateDir, audit } = config;
  const auditDir = auditDirOf(config);
  const state = await whyUnusable(stateDir);
  const log = audit ? await whyUnusable(auditDir) : undefined;
  const problems = [...new Set([state, log].filter((problem) => problem !== undefined))];
  if (problems.length === 0) {
    const detail = audit ? `calls are logged in ${auditDir}` : 'AUDIT=false: calls are not logged';
    return { verdict: 'ok', detail, value: true };
  }
  // STATE_DIR contains the ledger of the audit log.
  return {
    verdict: audit ? 'fail' : 'warn',
    detail: `${problems.join('; ')}${audit ? ': no call can be logged, so none is executed' : ''}.`,
    remedy:
      'Correct STATE_DIR or AUDIT_DIR, or the permissions: both directories must belong to this user, with mode 700.',
  };
}

/** With APPROVALS=terminal: checks that a passphrase is set, without which no call can be approved. */
export async function checkPassphrase({ stateDir }: Config): Promise<Finding<true>> {
  if (await new ApprovalStore(stateDir).hasPassphrase()) {
    return { verdict: 'ok', detail: 'at a terminal, with the approval passphrase', value: true };
  }
  return {
    verdict: 'warn',
    detail:
      'APPROVALS=terminal, but no approval passphrase is set: calls that need confirmation cannot be approved.',
    remedy: 'Set one with `proxmox-mcp approvals passphrase`.',
  };
}

/** Why ensurePrivateDir would fail, which also creates parent directories. Undefined if it would succeed. */
async function whyUnusable(dir: string): Promise<string | undefined> {
  const found = await stat(dir).catch(() => undefined);
  if (found === undefined) {
    const parent = await nearestParent(dir);
    return (await mayWrite(parent))
      ? undefined
      : `${dir} cannot be created, because ${parent} is not writable`;
  }
  if (!found.isDirectory()) return `${dir} is not a directory`;
  if (process.platform !== 'win32' && (found.mode & 0o022) !== 0) {
    return `${dir} is writable by other users`;
  }
  return (await mayWrite(dir)) ? undefined : `${dir} is not writable by this user`;
}

async function nearestParent(dir: string): Promise<string> {
  const parent = dirname(dir);
  if (parent === dir) return dir;
  return (await stat(parent).catch(() => undefined)) === undefined ? nearestParent(parent) : parent;
}

async function mayWrite(dir: string): Promise<boolean> {
  return access(dir, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}
