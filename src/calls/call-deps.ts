import type { Confirmation } from '../governance/approval/confirmation.ts';
import type { AuditLog } from '../governance/audit/audit-types.ts';
import type { Lockdown } from '../governance/lockdown/lockdown.ts';
import type { Policy } from '../governance/policy/policy-types.ts';
import type { Logger } from '../lib/log.ts';
import type { Notices } from '../lib/notices.ts';
import type { Redactor } from '../lib/redactor.ts';
import type { ClusterHandle } from '../proxmox/proxmox-types.ts';
import type { ToolSettings } from '../tools/tool.ts';
import type { CallObserver } from './call-observer.ts';

/** What all connections share. A server object is built on top of it for each one. */
export interface ServerDeps {
  /** Rejects when there can be no way to the node, whatever is tried. */
  cluster(): Promise<ClusterHandle>;
  /** The same object every time. Rejects when the policy cannot be read, which is known before anything is served. */
  policy(): Promise<Policy>;
  /** The lockdown that holds now, if any. */
  lockdown(): Promise<Lockdown | undefined>;
  /** Rejects while nothing can be put on record: then nothing is done either. */
  audit(): Promise<AuditLog>;
  /** The rules stand in a file, which may be edited while clients are served. */
  readonly listMayChange?: boolean;
  /** Asks people. The same object every time; loaded when the first rule asks for it. */
  confirmation(): Promise<Confirmation>;
  readonly settings: ToolSettings;
  /** Local directories that transfers may use; absolute paths. */
  transferDirs(): readonly string[];
  /** What everything passes that leaves: results, errors, progress. */
  readonly redactor: Redactor;
  readonly logger: Logger;
  readonly version: string;
  /** What whoever waits for the node has to know now. */
  readonly notices?: Pick<Notices, 'subscribe'>;
  /** Metrics; absent on stdio, where nobody would read them. */
  readonly observer?: CallObserver;
  /** Signs what travels through clients and comes back, such as requestState; all replicas have the same. 32 bytes or more. */
  stateKey(): Promise<Uint8Array>;
  /** Told when a call begins; what it returns is told when all of it is over. Neither may throw. */
  readonly trackCall?: () => () => void;
}
