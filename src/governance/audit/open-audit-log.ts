import path from 'node:path';
import type { Logger } from '../../lib/log.ts';
import type { AuditCall, AuditLog } from './audit-types.ts';
import type { RedactData } from './logged-arguments.ts';

/** Where the record is kept, by the settings. */
export interface AuditSettings {
  readonly audit: boolean;
  readonly auditDir?: string | undefined;
  readonly auditKey?: string | undefined;
  readonly stateDir: string;
}

/** Bytes of a segment: small enough for an editor, and for `audit verify` to read it in one piece. */
const MAX_SEGMENT_BYTES = 10_000_000;

const UNRECORDED: AuditCall = { id: 'none', end: async () => {} };

/** AUDIT=false: nothing is on record, and the operator has been told so. */
export const NO_TRAIL: AuditLog = {
  begin: async () => UNRECORDED,
  refused: async () => {},
  close: async () => {},
};

export function auditDirOf({ auditDir, stateDir }: AuditSettings): string {
  return auditDir ?? path.join(stateDir, 'audit');
}

/** The record of this process by the settings. Its file is made with the first call. */
export async function openTrail(
  settings: AuditSettings,
  surroundings: { readonly version: string; readonly logger: Logger; readonly redact: RedactData },
): Promise<AuditLog> {
  if (!settings.audit) return NO_TRAIL;
  const { FileTrail } = await import('./audit-log.ts');
  return new FileTrail({
    dir: auditDirOf(settings),
    stateDir: settings.stateDir,
    auditKey: settings.auditKey,
    maxBytes: MAX_SEGMENT_BYTES,
    ...surroundings,
  });
}
