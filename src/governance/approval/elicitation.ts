import type { InputRequiredResult, ServerContext } from '@modelcontextprotocol/server';

/** What came of a question. Only `yes` confirms. */
export type Answer = 'yes' | 'declined' | 'cancelled' | 'unticked' | 'silent' | 'unable';

/** How a client can be asked: by a result that it answers by repeating the call, or by a request to it meanwhile. */
export type Elicitation = DeferredElicitation | InlineElicitation;

export interface DeferredElicitation {
  readonly kind: 'deferred';
  /** The answer that came with this call, and the state of the question that it answers. */
  readonly returnedAnswer: { readonly state: string; readonly answer: Answer } | undefined;
  readonly ctx: ServerContext;
  question(message: string, state: string): InputRequiredResult;
}

export interface InlineElicitation {
  readonly kind: 'inline';
  ask(message: string, timeoutMs: number): Promise<Answer>;
}
