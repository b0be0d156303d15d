import path from 'node:path';
import type { Logger } from '../../lib/log.ts';
import type { AuditCall, AuditLog } from './audit-types.ts';
import type { RedactText } from './logged-arguments.ts';

/** The settings of the audit log. */
export interface AuditSettings {
  readonly audit: boolean;
  readonly auditDir?: string | undefined;
  readonly auditKey?: string | undefined;
  readonly stateDir: string;
}

/** Maximum bytes of a segment: small enough for an editor, and for `audit verify` to read it at once. */
const MAX_SEGMENT_BYTES = 10_000_000;

const NOT_LOGGED: AuditCall = { id: 'none', end: async () => {} };

/** For AUDIT=false: logs nothing. The operator is warned at the start. */
export const NO_AUDIT_LOG: AuditLog = {
  begin: async () => NOT_LOGGED,
  refused: async () => {},
  close: async () => {},
};

export function auditDirOf({ auditDir, stateDir }: AuditSettings): string {
  return auditDir ?? path.join(stateDir, 'audit');
}

/** The audit log of this process. Its first segment is created with the first call. */
export async function openAuditLog(
  settings: AuditSettings,
  environment: { readonly version: string; readonly logger: Logger; readonly redact: RedactText },
): Promise<AuditLog> {
  if (!settings.audit) return NO_AUDIT_LOG;
  const { FileAuditLog } = await import('./audit-log.ts');
  return new FileAuditLog({
    dir: auditDirOf(settings),
    stateDir: settings.stateDir,
    auditKey: settings.auditKey,
    maxBytes: MAX_SEGMENT_BYTES,
    ...environment,
  });
}
