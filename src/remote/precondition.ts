import { randomBytes } from 'node:crypto';
import type { AppError } from '../lib/errors.ts';
import { quoteAll } from '../lib/quote.ts';
import {
  ATTRIBUTE_NAMES,
  type AttributeName,
  type ContainerAttributes,
  conditionOf,
} from './container-attributes.ts';
import { preconditionRefused } from './precondition-errors.ts';
import type { FileDigest, Precondition } from './remote-types.ts';
import { SCRIPTS } from './scripts/index.ts';

/**
 * Called with the reason that precondition.sh reports, or `timeout` if it did not answer.
 * @returns the error for a condition that only the caller understands; undefined if the attributes have changed, or cannot be read
 */
export type OnRefused = (why: string) => AppError | undefined;

/** What a request checks before it runs anything. */
export type CheckedPrecondition = Pick<
  ActivePrecondition,
  'check' | 'readsPmxcfs' | 'worksWithoutPmxcfs' | 'refused'
>;

/** The preconditions of the two targets of one call, checked in one round trip. */
export function bothPreconditions(
  one: ActivePrecondition | null,
  other: ActivePrecondition | null,
): CheckedPrecondition | null {
  if (one === null || other === null || one === other) return one ?? other;
  const works = (each: ActivePrecondition) => each.worksWithoutPmxcfs || !each.readsPmxcfs;
  return {
    check: (pmxcfsAnswers) => one.check(pmxcfsAnswers) + other.check(pmxcfsAnswers),
    readsPmxcfs: one.readsPmxcfs || other.readsPmxcfs,
    worksWithoutPmxcfs: works(one) && works(other),
    refused: (why) => {
      // Which of the two failed is not known, so the attributes of both are read again.
      one.refused(why);
      return other.refused(why);
    },
  };
}

/** The precondition of one call. It may be checked several times, if an attempt did not start and is repeated. */
export class ActivePrecondition {
  readonly #precondition: Precondition;
  readonly #onRefused: OnRefused;
  readonly #vmid: number | null;
  readonly #redeemer = randomBytes(8).toString('hex');

  /**
   * @param onRefused called if a condition is not met
   * @param vmid a container that must be on the node where the call runs, whatever else is required
   */
  constructor(precondition: Precondition, onRefused: OnRefused, vmid: number | null = null) {
    this.#precondition = precondition;
    this.#onRefused = onRefused;
    this.#vmid = vmid;
  }

  /**
   * Shell text that precedes a request. If the check fails, it prints `NONCE refused WHY` and exits.
   * @param pmxcfsAnswers false if pmxcfs is known to hang, so that nothing is read from it
   */
  check(pmxcfsAnswers = true): string {
    const fields = this.fields(pmxcfsAnswers);
    return fields.length === 0 ? '' : `set -- ${quoteAll(fields)}\n${SCRIPTS.precondition}`;
  }

  /** The arguments of the precondition script; empty if there is nothing to check. */
  fields(pmxcfsAnswers = true): readonly string[] {
    const { attributes, approvalId, lockdown } = this.#precondition;
    // These checks come first, so that the approval of a refused call is not redeemed.
    const fields = lockdown === null ? [] : ['lockdown', pmxcfsAnswers ? lockdown.cluster : lockdown.node];
    if (attributes !== null) {
      const { vmid, node } = attributes;
      fields.push('container', String(vmid), 'conf', `/etc/pve/nodes/${node}/lxc/${vmid}.conf`);
    }
    // The node has the directory of its own containers at /etc/pve/lxc.
    if (this.#vmid !== null && pmxcfsAnswers) fields.push('here', `/etc/pve/lxc/${this.#vmid}.conf`);
    if (attributes !== null) {
      for (const name of this.#compared) {
        const wanted = conditionOf(attributes, name);
        if (wanted !== null) fields.push(name, wanted);
      }
    }
    if (approvalId !== null) fields.push('redeemer', this.#redeemer, 'approval', approvalId);
    return fields;
  }

  get #compared(): readonly AttributeName[] {
    const { unneeded = [] } = this.#precondition;
    return ATTRIBUTE_NAMES.filter((name) => !unneeded.includes(name));
  }

  /** Whether the check reads the cluster file system. */
  get readsPmxcfs(): boolean {
    const { attributes, lockdown } = this.#precondition;
    return attributes !== null || lockdown !== null || this.#vmid !== null;
  }

  /**
   * Whether the call may run although the cluster's files do not respond: no rule needs attributes, the node has a copy of the
   * lockdown, and what runs in a container runs only where the container is.
   */
  get worksWithoutPmxcfs(): boolean {
    return this.#precondition.attributes === null && this.readsPmxcfs;
  }

  /** Whether the call redeems an approval. */
  get redeems(): boolean {
    return this.#precondition.approvalId !== null;
  }

  /** Size and hash of the bytes that an upload must send, if the approval is limited to them. */
  get source(): FileDigest | null {
    return this.#precondition.source;
  }

  /** The error for a failed check. */
  refused(why: string): AppError {
    return this.#onRefused(why) ?? preconditionRefused(why, this.#precondition, this.#vmid);
  }

  /** Checks attributes that were just read. @throws AppError TARGET_CHANGED if they differ from those of the precondition */
  checked<T extends ContainerAttributes>(status: T): T {
    const { attributes } = this.#precondition;
    if (attributes === null) return status;
    const same = this.#compared.every(
      (name) => JSON.stringify(attributes[name]) === JSON.stringify(status[name]),
    );
    if (same && attributes.vmid === status.vmid) return status;
    throw this.refused('changed');
  }
}
