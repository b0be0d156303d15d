import type { AttachTarget } from '../remote/command-line.ts';
import { type Recover, RemoteExecTarget } from './exec-target.ts';
import { diagnoseHost } from './inventory/diagnose.ts';

/** The node itself as a place where commands run and files travel. */
export class Host extends RemoteExecTarget {
  readonly label = 'the Proxmox host';

  protected entry(): AttachTarget {
    return { kind: 'host', sudo: this.deps.node.sudo };
  }

  protected recover: Recover = async (_entry, failure) => diagnoseHost(failure);
}
