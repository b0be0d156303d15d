import type { Process } from '../kernel/process.ts';
import type { Signal } from '../kernel/signals.ts';

/** The actions of a shell on signals and at its end. */
export class Traps {
  readonly #process: Process;
  readonly #actions = new Map<Signal | 'EXIT', string>();
  readonly #pending: Signal[] = [];
  /** Ignored from the start, which a non-interactive shell cannot change. */
  readonly #entry: ReadonlySet<Signal>;

  /** @param parent a subshell inherits only ignored signals */
  constructor(process: Process, parent: Traps | undefined) {
    this.#process = process;
    this.#entry = parent ? parent.#entry : new Set(process.ignored);
    if (parent) {
      for (const [signal, action] of parent.#actions) if (action === '') this.#actions.set(signal, action);
    }
    process.onSignal = (signal) => {
      if (!this.#actions.has(signal)) return false;
      this.#pending.push(signal);
      return true;
    };
  }

  /** @param action undefined for the default, empty to ignore */
  set(name: Signal | 'EXIT', action: string | undefined): void {
    if (name !== 'EXIT') {
      if (this.#entry.has(name)) return;
      this.#process.ignored.delete(name);
      if (action === '' && name !== 'KILL' && name !== 'STOP') this.#process.ignored.add(name);
    }
    if (action === undefined) this.#actions.delete(name);
    else this.#actions.set(name, action);
  }

  get(name: Signal | 'EXIT'): string | undefined {
    return this.#actions.get(name);
  }

  get all(): readonly (readonly [Signal | 'EXIT', string])[] {
    return [...this.#actions];
  }

  /** Whether a trap is set that a program in place of this process would not run. */
  get any(): boolean {
    return [...this.#actions.values()].some((action) => action !== '');
  }

  /** The next signal with a pending trap. */
  take(): Signal | undefined {
    return this.#pending.shift();
  }

  get due(): Signal | undefined {
    return this.#pending[0];
  }
}
