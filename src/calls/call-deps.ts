import type { Confirmation } from '../governance/approval/confirmation.ts';
import type { AuditLog } from '../governance/audit/audit-types.ts';
import type { Lockdown } from '../governance/lockdown/lockdown-file.ts';
import type { Policy } from '../governance/policy/policy-types.ts';
import type { Logger } from '../lib/log.ts';
import type { Notices } from '../lib/notices.ts';
import type { Redactor } from '../lib/redactor.ts';
import type { ClusterHandle } from '../proxmox/proxmox-types.ts';
import type { ToolSettings } from '../tools/tool.ts';
import type { CallObserver } from './call-observer.ts';

/** The parts that all connections share. Each connection gets its own server object on top of them. */
export interface ServerDeps {
  /** Rejects if no SSH connection can be made with these settings. */
  cluster(): Promise<ClusterHandle>;
  /** The same object every time. Rejects if the policy cannot be read; the server does not start then. */
  policy(): Promise<Policy>;
  /** The lockdown in force, if any. */
  lockdown(): Promise<Lockdown | undefined>;
  /** Rejects while the audit log cannot be written; no call is executed then. */
  audit(): Promise<AuditLog>;
  /** The policy comes from a file, which may change while the server runs. */
  readonly listMayChange?: boolean;
  /** Requests approvals. The same object every time, loaded at first use. */
  confirmation(): Promise<Confirmation>;
  readonly settings: ToolSettings;
  /** Local directories that transfers may use; absolute paths. */
  transferDirs(): readonly string[];
  /** Applied to all output: results, errors, progress. */
  readonly redactor: Redactor;
  readonly logger: Logger;
  readonly version: string;
  /** Messages for calls that wait for the node, such as an SSH banner. */
  readonly notices?: Pick<Notices, 'subscribe'>;
  /** Metrics; absent on stdio. */
  readonly observer?: CallObserver;
  /** Key that signs data that clients return, such as requestState. The same on all replicas; 32 bytes or more. */
  stateKey(): Promise<Uint8Array>;
  /** Called when a call begins. The returned function is called when the call has ended completely. Neither may throw. */
  readonly trackCall?: () => () => void;
}
