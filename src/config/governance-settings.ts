import { PRESET_NAMES } from '../governance/policy/policy-types.ts';
import { boolean, choice, longSecret, tag } from './formats.ts';
import type { HostEnvironment } from './host-environment.ts';
import { directoryPath, readableFile } from './path-formats.ts';
import { settingsMetadata } from './setting.ts';
import { defaultStateDir } from './state-dir.ts';
import { duration } from './unit-formats.ts';

/** The settings for policy, approvals, audit log and redaction. */
export function governanceSettings(at: HostEnvironment) {
  return {
    policy: choice(PRESET_NAMES).optional().register(settingsMetadata, {
      name: 'POLICY',
      restricts: true,
      flag: 'policy',
      placeholder: 'preset',
      group: 'Governance',
      tier: 'basic',
      help: 'Policy: read-only, careful, standard, open',
      example: 'careful',
      defaultText: 'standard',
    }),
    policyFile: readableFile(at).optional().register(settingsMetadata, {
      name: 'POLICY_FILE',
      restricts: true,
      flag: 'policy-file',
      placeholder: 'file',
      group: 'Governance',
      tier: 'common',
      help: 'Custom policy file, used instead of POLICY (docs/permissions.md)',
      example: '~/proxmox-policy.yaml',
    }),
    protectedTag: tag().register(settingsMetadata, {
      name: 'PROTECTED_TAG',
      restricts: true,
      flag: 'protected-tag',
      placeholder: 'tag',
      group: 'Governance',
      help: 'Changes to containers with this tag need confirmation',
      example: 'precious',
      default: 'protected',
    }),
    allowSelf: boolean().register(settingsMetadata, {
      name: 'ALLOW_SELF',
      flag: 'allow-self',
      group: 'Governance',
      help: 'Allow commands, changes and transfers in the container that this server runs in',
      example: 'true',
      default: 'false',
    }),
    audit: boolean().register(settingsMetadata, {
      name: 'AUDIT',
      flag: 'audit',
      group: 'Governance',
      tier: 'common',
      help: 'Log every call; a call that cannot be logged does not run',
      example: 'false',
      default: 'true',
    }),
    auditDir: directoryPath(at).optional().register(settingsMetadata, {
      name: 'AUDIT_DIR',
      flag: 'audit-dir',
      placeholder: 'dir',
      group: 'Governance',
      help: 'Audit log directory',
      example: '/var/log/proxmox-mcp',
      defaultText: 'audit in STATE_DIR',
    }),
    auditKey: longSecret().optional().register(settingsMetadata, {
      name: 'AUDIT_KEY',
      secret: true,
      group: 'Governance',
      help: 'Key that makes tampering with the audit log detectable (32 bytes or more)',
      example: 'the output of: openssl rand -base64 48',
      defaultText: 'generated, stored in STATE_DIR',
    }),
    redactForms: boolean().register(settingsMetadata, {
      name: 'REDACT_FORMS',
      flag: 'redact-forms',
      group: 'Governance',
      help: 'Redact strings that look like keys, tokens or passwords (configured secrets are always redacted)',
      example: 'false',
      default: 'true',
    }),
    approvals: choice(['client', 'terminal', 'deny']).optional().register(settingsMetadata, {
      name: 'APPROVALS',
      restricts: true,
      flag: 'approvals',
      placeholder: 'method',
      group: 'Governance',
      tier: 'basic',
      help: 'How calls are confirmed: in the client, at a terminal with a passphrase, or deny',
      example: 'terminal',
      defaultText: 'terminal if a passphrase is set, otherwise client on stdio and deny on HTTP',
    }),
    approvalTtl: duration(1, 43_200).register(settingsMetadata, {
      name: 'APPROVAL_TTL',
      flag: 'approval-ttl',
      placeholder: 'time',
      group: 'Governance',
      help: 'Time until an approval request expires, and then until its approval expires',
      example: '5m',
      default: '10m',
    }),
    confirmTimeout: duration(1, 300).register(settingsMetadata, {
      name: 'CONFIRM_TIMEOUT',
      flag: 'confirm-timeout',
      placeholder: 'time',
      group: 'Governance',
      help: "Time to wait for the user's answer in the client",
      example: '2m',
      default: '45s',
    }),
    stateDir: directoryPath(at).default(defaultStateDir(at)).register(settingsMetadata, {
      name: 'STATE_DIR',
      flag: 'state-dir',
      placeholder: 'dir',
      group: 'Governance',
      tier: 'common',
      help: 'Directory for the audit log, approvals and generated keys',
      example: '~/proxmox-mcp-state',
      defaultText: '~/.local/state/proxmox-mcp',
    }),
    stateKey: longSecret().optional().register(settingsMetadata, {
      name: 'STATE_KEY',
      secret: true,
      group: 'Governance',
      help: 'Key that signs approval requests, the same on all replicas (32 bytes or more)',
      example: 'the output of: openssl rand -base64 48',
      defaultText: 'generated, stored in STATE_DIR',
    }),
  };
}
