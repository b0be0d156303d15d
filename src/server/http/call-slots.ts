import { isJSONRPCRequest } from '@modelcontextprotocol/server';
import type { Exchange } from './exchange.ts';

/** Limits concurrent tool calls of all callers. Further calls are refused with "try again" instead of waiting. */
export class CallSlots {
  readonly #max: number;
  #taken = 0;
  #whenIdle: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a slot for each call in a message (a batch may have several) until the exchange has ended; false: too many. */
  take(message: unknown, exchange: Exchange): boolean {
    const calls = callsIn(message);
    if (calls === 0) return true;
    if (this.#taken + calls > this.#max) return false;
    this.#taken += calls;
    exchange.whenOver(() => {
      this.#taken -= calls;
      if (this.#taken === 0) for (const told of this.#whenIdle.splice(0)) told();
    });
    return true;
  }

  /** Resolves when no call is running. */
  idle(): Promise<void> {
    if (this.#taken === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }
}

/** Reading a resource is a tool call, too. */
const CALLING: ReadonlySet<string> = new Set(['tools/call', 'resources/read']);

function callsIn(message: unknown): number {
  const messages = Array.isArray(message) ? message : [message];
  return messages.filter((each) => isJSONRPCRequest(each) && CALLING.has(each.method)).length;
}
