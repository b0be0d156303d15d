import { PRESET_NAMES } from '../governance/policy/policy-types.ts';
import { boolean, choice, directoryPath, integer, longSecret, readableFile, tag } from './formats.ts';
import type { HostEnvironment } from './host-environment.ts';
import { about } from './setting.ts';
import { defaultStateDir } from './state-dir.ts';

/** What is kept, and who may decide; a part of the schema. */
export function governanceSettings(at: HostEnvironment) {
  return {
    policy: choice(PRESET_NAMES).optional().register(about, {
      name: 'POLICY',
      restricts: true,
      flag: 'policy',
      placeholder: 'preset',
      group: 'Governance',
      help: 'What is allowed, asked or refused: read-only, careful, standard or open',
      example: 'careful',
      defaultText: 'standard',
    }),
    policyFile: readableFile(at).optional().register(about, {
      name: 'POLICY_FILE',
      restricts: true,
      flag: 'policy-file',
      placeholder: 'file',
      group: 'Governance',
      help: 'Own rules, in place of POLICY; see docs/policy.md',
      example: '~/proxmox-policy.yaml',
    }),
    protectedTag: tag().register(about, {
      name: 'PROTECTED_TAG',
      restricts: true,
      flag: 'protected-tag',
      placeholder: 'tag',
      group: 'Governance',
      help: 'Containers with this tag are changed only after a confirmation',
      example: 'precious',
      default: 'protected',
    }),
    audit: boolean().register(about, {
      name: 'AUDIT',
      flag: 'audit',
      group: 'Governance',
      help: 'Put every call on record; a call that can not be recorded is not made',
      example: 'false',
      default: 'true',
    }),
    auditDir: directoryPath(at).optional().register(about, {
      name: 'AUDIT_DIR',
      flag: 'audit-dir',
      placeholder: 'dir',
      group: 'Governance',
      help: 'Where the record is kept',
      example: '/var/log/proxmox-mcp',
      defaultText: 'audit in STATE_DIR',
    }),
    auditKey: longSecret().optional().register(about, {
      name: 'AUDIT_KEY',
      secret: true,
      group: 'Governance',
      help: 'Seals the record against changes (32 bytes or more)',
      example: 'the output of: openssl rand -base64 48',
      defaultText: 'made and kept in STATE_DIR',
    }),
    redactForms: boolean().register(about, {
      name: 'REDACT_FORMS',
      flag: 'redact-forms',
      group: 'Governance',
      help: 'Cover what looks like a key, token or password; known ones always are',
      example: 'false',
      default: 'true',
    }),
    approvals: choice(['client', 'terminal', 'deny']).optional().register(about, {
      name: 'APPROVALS',
      restricts: true,
      flag: 'approvals',
      placeholder: 'mode',
      group: 'Governance',
      help: 'Who confirms: client (as the client program says), terminal (proxmox-mcp approvals) or deny',
      example: 'terminal',
      defaultText: 'terminal once a passphrase is set, else client on stdio and deny on HTTP',
    }),
    approvalTtl: integer(1, 43_200).register(about, {
      name: 'APPROVAL_TTL',
      flag: 'approval-ttl',
      placeholder: 'seconds',
      group: 'Governance',
      help: 'How long a question waits for its answer, and an approval for its use',
      example: '300',
      default: '600',
    }),
    confirmTimeout: integer(1, 300).register(about, {
      name: 'CONFIRM_TIMEOUT',
      flag: 'confirm-timeout',
      placeholder: 'seconds',
      group: 'Governance',
      help: 'How long a call waits for the answer of a client that asks meanwhile',
      example: '120',
      default: '45',
    }),
    stateDir: directoryPath(at).default(defaultStateDir(at)).register(about, {
      name: 'STATE_DIR',
      flag: 'state-dir',
      placeholder: 'dir',
      group: 'Governance',
      help: 'Where records, approvals and made tokens are kept',
      example: '~/proxmox-mcp-state',
      defaultText: '~/.local/state/proxmox-mcp',
    }),
    stateKey: longSecret().optional().register(about, {
      name: 'STATE_KEY',
      secret: true,
      group: 'Governance',
      help: 'Signs what travels through clients; replicas share it (32 bytes or more)',
      example: 'the output of: openssl rand -base64 48',
      defaultText: 'made and kept in STATE_DIR',
    }),
  };
}
