import {
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  inputResponse,
  type McpServer,
  PROTOCOL_VERSION_META_KEY,
  SdkError,
  SdkErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Answer, Elicitation } from '../governance/approval/elicitation.ts';

/** The key under which a client of 2026 returns the answer. */
const KEY = 'confirmation';
const FIELD = 'allow';

const FORM = {
  type: 'object' as const,
  properties: {
    [FIELD]: {
      type: 'boolean' as const,
      title: 'Allow once',
      description: 'Tick the box to allow this call once. Otherwise the call is refused.',
      default: false,
    },
  },
  required: [FIELD],
};

/**
 * How this client can be asked, according to its declared capabilities; undefined if it does not support forms. Asking a
 * client without the capability would be a protocol error, which the model does not see.
 */
export function clientElicitation(mcp: McpServer, ctx: ServerContext): Elicitation | undefined {
  const envelope: Readonly<Record<string, unknown>> = ctx.mcpReq.envelope ?? {};
  const modern = envelope[PROTOCOL_VERSION_META_KEY] !== undefined;
  const declared = modern ? envelope[CLIENT_CAPABILITIES_META_KEY] : mcp.server.getClientCapabilities();
  if (!takesForms(declared)) return undefined;
  return modern ? deferred(ctx) : inline(ctx);
}

/** A declaration without modes means forms, the only mode of older revisions. */
function takesForms(capabilities: unknown): boolean {
  const elicitation = isRecord(capabilities) ? capabilities.elicitation : undefined;
  return isRecord(elicitation) && ('form' in elicitation || !('url' in elicitation));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function deferred(ctx: ServerContext): Elicitation {
  const state = ctx.mcpReq.requestState<string>();
  const view = inputResponse(ctx.mcpReq.inputResponses, KEY);
  const returnedAnswer =
    typeof state === 'string' && view.kind === 'elicit' ? { state, answer: answerOf(view) } : undefined;
  return {
    kind: 'deferred',
    returnedAnswer,
    ctx,
    question: (message, requestState) =>
      inputRequired({
        inputRequests: { [KEY]: inputRequired.elicit({ message, requestedSchema: FORM }) },
        requestState,
      }),
  };
}

function inline(ctx: ServerContext): Elicitation {
  return {
    kind: 'inline',
    ask: async (message, timeoutMs) => {
      const { signal } = ctx.mcpReq;
      try {
        const params = { mode: 'form' as const, message, requestedSchema: FORM };
        // On the stream of this call, because an HTTP client may have no other stream.
        const options = { timeout: timeoutMs, signal, relatedRequestId: ctx.mcpReq.id };
        return answerOf(await ctx.mcpReq.elicitInput(params, options));
      } catch (error) {
        // The SDK wraps the abort in its own error.
        signal.throwIfAborted();
        // Some clients declare that they show questions but never do.
        return error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout ? 'silent' : 'unable';
      }
    },
  };
}

/** An accepted form whose box is not ticked counts as a refusal. */
function answerOf({
  action,
  content,
}: {
  readonly action: string;
  readonly content?: Readonly<Record<string, unknown>> | undefined;
}): Answer {
  if (action === 'decline') return 'declined';
  if (action !== 'accept') return 'cancelled';
  return content?.[FIELD] === true ? 'approved' : 'unticked';
}
