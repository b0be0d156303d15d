import path from 'node:path';
import type { Logger } from '../lib/log.ts';
import type { RedactData } from './arguments.ts';
import type { AuditCall, AuditTrail } from './types.ts';

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
export const NO_TRAIL: AuditTrail = {
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
): Promise<AuditTrail> {
  if (!settings.audit) return NO_TRAIL;
  const { FileTrail } = await import('./trail.ts');
  return new FileTrail({
    dir: auditDirOf(settings),
    stateDir: settings.stateDir,
    auditKey: settings.auditKey,
    maxBytes: MAX_SEGMENT_BYTES,
    ...surroundings,
  });
}
