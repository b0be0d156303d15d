import type { AppError } from '../lib/errors.ts';
import type { CommandNotStarted } from '../remote/remote-errors.ts';
import type { AttachTarget } from '../remote/session-requests.ts';
import { RemoteExecTarget } from './exec-target.ts';
import { diagnoseHost } from './inventory/diagnose.ts';

/** The node itself as a target of commands and transfers. */
export class Host extends RemoteExecTarget {
  readonly label = 'the Proxmox host';
  protected readonly target: AttachTarget = { kind: 'host' };

  protected diagnose(failure: CommandNotStarted, signal: AbortSignal): Promise<AppError> {
    return diagnoseHost(this.deps.shell, failure, signal);
  }
}
