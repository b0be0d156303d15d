import type { InputRequiredResult, ServerContext } from '@modelcontextprotocol/server';

/** The result of an approval question. Only `approved` approves the call. */
export type Answer = 'approved' | 'declined' | 'cancelled' | 'unticked' | 'silent' | 'unable';

/** How a client is asked: by a result that it answers by repeating the call, or by a request during the call. */
export type Elicitation = DeferredElicitation | InlineElicitation;

export interface DeferredElicitation {
  readonly kind: 'deferred';
  /** The answer in this call, and the state of the question that it answers. */
  readonly returnedAnswer: { readonly state: string; readonly answer: Answer } | undefined;
  readonly ctx: ServerContext;
  question(message: string, state: string): InputRequiredResult;
}

export interface InlineElicitation {
  readonly kind: 'inline';
  ask(message: string, timeoutMs: number): Promise<Answer>;
}
