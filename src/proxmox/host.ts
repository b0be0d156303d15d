import type { Entry } from './commands.ts';
import { whyNotOnHost } from './diagnose.ts';
import { type Recover, RemotePlace } from './place.ts';

/** The node itself as a place where commands run and files travel. */
export class Host extends RemotePlace {
  readonly label = 'the Proxmox host';

  protected entry(): Entry {
    return { kind: 'host', sudo: this.deps.node.sudo };
  }

  protected recover: Recover = async (_entry, failure) => whyNotOnHost(failure);
}
