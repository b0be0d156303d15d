import type { CallToolResult } from '@modelcontextprotocol/server';
import { collectGarbageSoon } from '../lib/collect-garbage.ts';
import { errorText } from '../lib/error-text.ts';
import { type AppError, type Audience, nextStep } from '../lib/errors.ts';
import type { Redactor } from '../lib/redactor.ts';
import { toJson } from '../tools/shared/format.ts';
import type { ResponseFormat } from '../tools/shared/params.ts';
import type { Reply, Tool } from '../tools/tool.ts';

/** Length of a text from which its call leaves much garbage. */
const LARGE = 1_000_000;

/** The MCP result for a reply, with secrets redacted. The text is generated from the redacted data, so both agree. */
export async function presentReply(
  reply: Reply<Record<string, unknown>>,
  redactor: Redactor,
): Promise<CallToolResult> {
  const { data } = await redactor.clean(reply.data);
  const text = reply.text(data);
  if (text.length > LARGE) collectGarbageSoon();
  return {
    content: [{ type: 'text', text }],
    structuredContent: reply.fit?.(data) ?? data,
    ...(reply.isError === true ? { isError: true } : {}),
  };
}

const MAX_MESSAGE = 1000;

/** The MCP result for an error: the same content as data and as text in the requested format. */
export async function presentError(
  error: AppError,
  format: ResponseFormat,
  redactor: Redactor,
  audience: Audience = 'model',
): Promise<CallToolResult> {
  // In our own texts, short secrets are redacted too. Output of the node is redacted like any result.
  const texts = {
    success: false,
    error: shortened(redactor.own(error.message)),
    code: error.code,
    suggestion: redactor.own(nextStep(error, audience)),
  };
  const { stderr = '' } = error;
  const data = stderr === '' ? texts : { ...texts, ...(await redactor.clean({ stderr })).data };
  const text = format === 'json' ? toJson(data) : failureText(data);
  return { content: [{ type: 'text', text }], structuredContent: data, isError: true };
}

/** Limits a message, which may quote a program on the node. Called after redaction, so that no secret is cut in two. */
function shortened(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)}…`;
}

function failureText({ error, code, suggestion, stderr }: Readonly<Record<string, unknown>>): string {
  const lines = [errorText(String(code), String(error), String(suggestion))];
  if (typeof stderr === 'string') lines.push('', 'STDERR:', stderr.trimEnd());
  return lines.join('\n');
}

/** The format for errors, even if other arguments are invalid. JSON for tools without `response_format`. */
export function formatOf(tool: Tool, args: Readonly<Record<string, unknown>>): ResponseFormat {
  const parameter = tool.input.shape.response_format;
  if (parameter === undefined) return 'json';
  const asked = parameter.safeParse(args.response_format);
  const format = asked.success ? asked.data : parameter.safeParse(undefined).data;
  return format === 'text' ? 'text' : 'json';
}
