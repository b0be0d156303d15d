import type { ServerDeps } from '../../src/calls/call-deps.ts';
import { NO_AUDIT_LOG } from '../../src/governance/audit/open-audit-log.ts';
import { openPolicy } from '../../src/governance/policy/open-policy.ts';
import { createRedactor } from '../../src/governance/redaction/redact.ts';
import { TOOLSETS } from '../../src/lib/toolsets.ts';

/** What a call needs apart from the node, and everything that is logged about it. */
export function record() {
  const lines: { level: string; fields: object }[] = [];
  const log = (level: string) => (fields: object | string) => {
    if (typeof fields === 'object') lines.push({ level, fields });
  };
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const unused = () => {
    throw new Error('not part of this test');
  };
  const deps: ServerDeps = {
    cluster: async () => ({
      connections: 0,
      reach: unused,
      guest: unused,
      isOwnContainer: async () => false,
      localFile: unused,
      list: unused,
      inspect: unused,
      listDetails: unused,
      status: unused,
      redeem: unused,
      entryName: unused,
      container: unused,
      copy: unused,
      host: unused,
      close: unused,
      jobs: { list: unused, get: unused, wait: unused, capture: unused, read: unused, cancel: unused },
    }),
    policy: () => openPolicy({ protectedTag: 'protected' }, async () => [], logger),
    transferDirs: () => [],
    settings: {
      characterLimit: 1000,
      maxFileSize: 1000,
      jobOutputLimit: 65_536,
      enableHostExec: false,
      allowSelf: false,
      readOnly: false,
      toolsets: TOOLSETS,
    },
    redactor: createRedactor(),
    logger,
    version: '0',
    stateKey: unused,
    lockdown: async () => undefined,
    audit: async () => NO_AUDIT_LOG,
    confirmation: unused,
  };
  return { lines, deps };
}
