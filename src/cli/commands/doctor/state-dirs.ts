import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../../../config/settings-schema.ts';
import { auditDirOf } from '../../../governance/audit/open-audit-log.ts';
import type { Finding } from './check.ts';

/** Whether the record of calls, and what else is kept here, can be written. Makes nothing. */
export async function checkKeptDirs(config: Config): Promise<Finding<true>> {
  const { stateDir, audit } = config;
  const auditDir = auditDirOf(config);
  const state = await whyNotKept(stateDir);
  const record = audit ? await whyNotKept(auditDir) : undefined;
  const problems = [...new Set([state, record].filter((problem) => problem !== undefined))];
  if (problems.length === 0) {
    const shown = audit ? `calls are recorded in ${auditDir}` : 'AUDIT=false: no call is recorded';
    return { verdict: 'ok', detail: shown, value: true };
  }
  // STATE_DIR contains the ledger of the audit log.
  return {
    verdict: audit ? 'fail' : 'warn',
    detail: `${problems.join('; ')}${audit ? ': no call can be logged, so none is executed' : ''}.`,
    remedy: 'Correct STATE_DIR, AUDIT_DIR or the rights: both belong to this user, mode 700.',
  };
}

/** As ensurePrivateDir will find it, which makes it with the folders above it. */
async function whyNotKept(dir: string): Promise<string | undefined> {
  const found = await stat(dir).catch(() => undefined);
  if (found === undefined) {
    const above = await nearestAbove(dir);
    return (await mayWrite(above)) ? undefined : `${dir} cannot be made, as ${above} may not be written`;
  }
  if (!found.isDirectory()) return `${dir} is not a directory`;
  if (process.platform !== 'win32' && (found.mode & 0o022) !== 0) {
    return `${dir} may be written by others than its owner`;
  }
  return (await mayWrite(dir)) ? undefined : `${dir} may not be written by this user`;
}

async function nearestAbove(dir: string): Promise<string> {
  const above = dirname(dir);
  if (above === dir) return dir;
  return (await stat(above).catch(() => undefined)) === undefined ? nearestAbove(above) : above;
}

async function mayWrite(dir: string): Promise<boolean> {
  return access(dir, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}
