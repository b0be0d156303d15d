import { PRESET_NAMES } from '../governance/policy/policy-types.ts';
import { boolean, choice, directoryPath, longSecret, readableFile, tag } from './formats.ts';
import type { HostEnvironment } from './host-environment.ts';
import { about } from './setting.ts';
import { defaultStateDir } from './state-dir.ts';
import { duration } from './unit-formats.ts';

/** What is kept, and who may decide; a part of the schema. */
export function governanceSettings(at: HostEnvironment) {
  return {
    policy: choice(PRESET_NAMES).optional().register(about, {
      name: 'POLICY',
      restricts: true,
      flag: 'policy',
      placeholder: 'preset',
      group: 'Governance',
      tier: 'basic',
      help: 'Policy preset: read-only, careful, standard or open',
      example: 'careful',
      defaultText: 'standard',
    }),
    policyFile: readableFile(at).optional().register(about, {
      name: 'POLICY_FILE',
      restricts: true,
      flag: 'policy-file',
      placeholder: 'file',
      group: 'Governance',
      tier: 'common',
      help: 'Custom policy file, used instead of POLICY (docs/permissions.md)',
      example: '~/proxmox-policy.yaml',
    }),
    protectedTag: tag().register(about, {
      name: 'PROTECTED_TAG',
      restricts: true,
      flag: 'protected-tag',
      placeholder: 'tag',
      group: 'Governance',
      help: 'Changes to containers with this tag need confirmation',
      example: 'precious',
      default: 'protected',
    }),
    audit: boolean().register(about, {
      name: 'AUDIT',
      flag: 'audit',
      group: 'Governance',
      tier: 'common',
      help: 'Log every call; a call that cannot be logged does not run',
      example: 'false',
      default: 'true',
    }),
    auditDir: directoryPath(at).optional().register(about, {
      name: 'AUDIT_DIR',
      flag: 'audit-dir',
      placeholder: 'dir',
      group: 'Governance',
      help: 'Audit log directory',
      example: '/var/log/proxmox-mcp',
      defaultText: 'audit in STATE_DIR',
    }),
    auditKey: longSecret().optional().register(about, {
      name: 'AUDIT_KEY',
      secret: true,
      group: 'Governance',
      help: 'Key that makes tampering with the audit log detectable (32 bytes or more)',
      example: 'the output of: openssl rand -base64 48',
      defaultText: 'generated, kept in STATE_DIR',
    }),
    redactForms: boolean().register(about, {
      name: 'REDACT_FORMS',
      flag: 'redact-forms',
      group: 'Governance',
      help: 'Redact strings that look like keys, tokens or passwords (configured secrets always are)',
      example: 'false',
      default: 'true',
    }),
    approvals: choice(['client', 'terminal', 'deny']).optional().register(about, {
      name: 'APPROVALS',
      restricts: true,
      flag: 'approvals',
      placeholder: 'who',
      group: 'Governance',
      tier: 'basic',
      help: 'Who confirms a call: client (the client program), terminal (a passphrase) or deny',
      example: 'terminal',
      defaultText: 'terminal once a passphrase is set, else client on stdio and deny on HTTP',
    }),
    approvalTtl: duration(1, 43_200).register(about, {
      name: 'APPROVAL_TTL',
      flag: 'approval-ttl',
      placeholder: 'time',
      group: 'Governance',
      help: 'Time that a request, and then its approval, stays valid',
      example: '5m',
      default: '10m',
    }),
    confirmTimeout: duration(1, 300).register(about, {
      name: 'CONFIRM_TIMEOUT',
      flag: 'confirm-timeout',
      placeholder: 'time',
      group: 'Governance',
      help: "Time to wait for the user's answer in the client",
      example: '2m',
      default: '45s',
    }),
    stateDir: directoryPath(at).default(defaultStateDir(at)).register(about, {
      name: 'STATE_DIR',
      flag: 'state-dir',
      placeholder: 'dir',
      group: 'Governance',
      tier: 'common',
      help: 'Directory for the audit log, approvals and generated keys',
      example: '~/proxmox-mcp-state',
      defaultText: '~/.local/state/proxmox-mcp',
    }),
    stateKey: longSecret().optional().register(about, {
      name: 'STATE_KEY',
      secret: true,
      group: 'Governance',
      help: 'Key that signs approval requests; the same on all replicas (32 bytes or more)',
      example: 'the output of: openssl rand -base64 48',
      defaultText: 'generated, kept in STATE_DIR',
    }),
  };
}
