import { randomBytes } from 'node:crypto';
import type { AppError } from '../lib/errors.ts';
import { quoteAll } from '../lib/quote.ts';
import { ATTRIBUTE_NAMES, type ContainerAttributes, conditionOf } from './container-attributes.ts';
import { preconditionRefused } from './precondition-errors.ts';
import type { FileDigest, Precondition } from './remote-types.ts';
import { SCRIPTS } from './scripts/index.ts';

/** Refusals that say nothing about the attributes of the container. */
const KEEPS_ATTRIBUTES: readonly string[] = ['used', 'unwritable', 'locked'];

/** The precondition of one call, which may be checked more than once: where an attempt never began, and another is made. */
export class ActivePrecondition {
  readonly #precondition: Precondition;
  readonly #onChanged: () => void;
  readonly #redeemer = randomBytes(8).toString('hex');

  /** @param onChanged is told when the attributes are no longer these, or cannot be read */
  constructor(precondition: Precondition, onChanged: () => void) {
    this.#precondition = precondition;
    this.#onChanged = onChanged;
  }

  /**
   * Shell text for the front of a request. It refuses with `NONCE refused WHY` and ends the shell.
   * @param pmxcfsAnswers false where it is known to hang: then nothing of it is read
   */
  check(pmxcfsAnswers = true): string {
    const { attributes, approvalId, lockdown } = this.#precondition;
    // First: an approval is not redeemed for a call that is refused.
    const fields = lockdown === null ? [] : ['lockdown', pmxcfsAnswers ? lockdown.cluster : lockdown.node];
    if (attributes !== null) {
      const { vmid, node } = attributes;
      fields.push('container', String(vmid), 'conf', `/etc/pve/nodes/${node}/lxc/${vmid}.conf`);
      for (const name of ATTRIBUTE_NAMES) {
        const wanted = conditionOf(attributes, name);
        if (wanted !== null) fields.push(name, wanted);
      }
    }
    if (approvalId !== null) fields.push('redeemer', this.#redeemer, 'approval', approvalId);
    return fields.length === 0 ? '' : `set -- ${quoteAll(fields)}\n${SCRIPTS.precondition}`;
  }

  /** Whether the check reads the cluster's files. */
  get readsPmxcfs(): boolean {
    return this.readsAttributes || this.#precondition.lockdown !== null;
  }

  /** Whether the lockdown is all that the check looks at. */
  get readsOnlyLockdown(): boolean {
    return this.#precondition.lockdown !== null && !this.readsAttributes && !this.redeems;
  }

  /** Whether the check cannot be made while the cluster file system does not answer. */
  get readsAttributes(): boolean {
    return this.#precondition.attributes !== null;
  }

  /** Whether the call redeems an approval. */
  get redeems(): boolean {
    return this.#precondition.approvalId !== null;
  }

  /** The bytes that an upload must send, where the decision was made on just these. */
  get source(): FileDigest | null {
    return this.#precondition.source;
  }

  /** The error for a refusal of the check. */
  refused(why: string): AppError {
    if (!KEEPS_ATTRIBUTES.includes(why)) this.#onChanged();
    return preconditionRefused(why, this.#precondition);
  }

  /** For attributes that have been read anyway. @throws AppError TARGET_CHANGED when they are not those of the precondition */
  checked<T extends ContainerAttributes>(status: T): T {
    const { attributes } = this.#precondition;
    if (attributes === null) return status;
    const same = ATTRIBUTE_NAMES.every(
      (name) => JSON.stringify(attributes[name]) === JSON.stringify(status[name]),
    );
    if (same && attributes.vmid === status.vmid) return status;
    throw this.refused('changed');
  }
}
