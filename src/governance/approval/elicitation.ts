import type { InputRequiredResult, ServerContext } from '@modelcontextprotocol/server';

/** What came of a question. Anything that is no plain yes is a no. */
export type Answer = 'yes' | 'declined' | 'cancelled' | 'unticked' | 'silent' | 'unable';

/** How a client can be asked: by a result that it answers by repeating the call, or by a request to it meanwhile. */
export type Elicitation = DeferredElicitation | InlineElicitation;

export interface DeferredElicitation {
  readonly kind: 'later';
  /** What the client has brought with this call: the state of a question, and the answer to it. */
  readonly brought: { readonly state: string; readonly answer: Answer } | undefined;
  readonly ctx: ServerContext;
  question(message: string, state: string): InputRequiredResult;
}

export interface InlineElicitation {
  readonly kind: 'live';
  ask(message: string, timeoutMs: number): Promise<Answer>;
}
