import path from 'node:path';
import type { Logger } from '../lib/log.ts';
import type { RedactData } from './arguments.ts';
import type { AuditCall, AuditTrail } from './types.ts';

/** Where the record is kept, by the settings. */
export interface AuditSettings {
  readonly audit: boolean;
  readonly auditDir: string | undefined;
  readonly auditKey: string | undefined;
  readonly stateDir: string;
}

/** Bytes of a segment: small enough to be opened in an editor, and to be read by `audit verify` in one piece. */
const MAX_SEGMENT_BYTES = 10_000_000;

export function auditDirOf({ auditDir, stateDir }: AuditSettings): string {
  return auditDir ?? path.join(stateDir, 'audit');
}

/**
 * The record by the settings. Its code is loaded and its file made with the first call: a client that only lists the tools
 * neither waits for the one nor leaves the other.
 */
export function createTrail(
  settings: AuditSettings,
  surroundings: { readonly version: string; readonly logger: Logger; readonly redact: RedactData },
): AuditTrail {
  if (!settings.audit) return NO_TRAIL;
  let trail: Promise<AuditTrail> | undefined;
  const load = () => {
    trail ??= import('./trail.ts').then(
      ({ FileTrail }) =>
        new FileTrail({
          dir: auditDirOf(settings),
          stateDir: settings.stateDir,
          auditKey: settings.auditKey,
          maxBytes: MAX_SEGMENT_BYTES,
          ...surroundings,
        }),
    );
    return trail;
  };
  return {
    begin: async (entry) => (await load()).begin(entry),
    refused: async (entry, code) => (await load()).refused(entry, code),
    close: async () => (await trail)?.close(),
  };
}

const UNRECORDED: AuditCall = { id: '', end: async () => {} };

/** AUDIT=false: nothing is on record, and the operator has been told so. */
const NO_TRAIL: AuditTrail = {
  begin: async () => UNRECORDED,
  refused: async () => {},
  close: async () => {},
};
