import type { Guest } from '../guest/guest.ts';
import type { Cluster } from './cluster.ts';
import { withKey } from './config-text.ts';

/** The migration of one container in steps, so that a test can inspect the state between them. */
export class Migration {
  readonly #cluster: Cluster;
  readonly #guest: Guest;
  readonly #source: string;
  readonly #target: string;
  readonly #wasRunning: boolean;

  /**
   * Stops the container and locks its configuration, which stays on the source.
   * @throws Error if the container or node does not exist
   */
  constructor(cluster: Cluster, vmid: number, target: string) {
    const guest = cluster.guest(vmid);
    const source = cluster.ownerOf(vmid);
    if (!guest || source === undefined) throw new Error(`the scenario has no container ${vmid}`);
    cluster.node(target);
    this.#cluster = cluster;
    this.#guest = guest;
    this.#source = source;
    this.#target = target;
    this.#wasRunning = guest.running;
    guest.halt();
    this.#lock('migrate');
  }

  /** Moves the configuration to the target, still locked. */
  move(): void {
    this.#cluster.moveGuest(this.#guest.vmid, this.#target);
  }

  /** Unlocks it on the target, and starts it there if it ran before. */
  finish(): void {
    this.move();
    this.#end();
  }

  /** Unlocks it on the source, and starts it there if it ran before. */
  abort(): void {
    this.#cluster.moveGuest(this.#guest.vmid, this.#source);
    this.#end();
  }

  #end(): void {
    this.#lock(undefined);
    if (this.#wasRunning) this.#guest.boot();
  }

  #lock(name: string | undefined): void {
    const { vmid } = this.#guest;
    const node = this.#cluster.ownerOf(vmid) ?? this.#source;
    const text = this.#cluster.readConfig(node, vmid) ?? '';
    this.#cluster.writeConfig(node, vmid, withKey(text, 'lock', name));
  }
}
