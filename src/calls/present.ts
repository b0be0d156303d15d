import type { CallToolResult } from '@modelcontextprotocol/server';
import { errorText } from '../lib/error-text.ts';
import type { AppError } from '../lib/errors.ts';
import type { Redactor } from '../lib/redactor.ts';
import { toJson } from '../tools/shared/format.ts';
import type { ResponseFormat } from '../tools/shared/params.ts';
import type { Reply, Tool } from '../tools/tool.ts';

/** What a tool answered, as MCP carries it, secrets covered. The text is made from the covered data: they never differ. */
export async function presentReply(
  reply: Reply<Record<string, unknown>>,
  redactor: Redactor,
): Promise<CallToolResult> {
  const { data } = await redactor.clean(reply.data);
  return {
    content: [{ type: 'text', text: reply.text(data) }],
    structuredContent: data,
    ...(reply.isError === true ? { isError: true } : {}),
  };
}

const MAX_MESSAGE = 1000;

/** The form of every failure: the same content as data, and as text in the format that was asked for. */
export async function presentError(
  error: AppError,
  format: ResponseFormat,
  redactor: Redactor,
): Promise<CallToolResult> {
  // Our own words lose short values as well; what the node printed is treated as any result.
  const words = {
    success: false,
    error: shortened(redactor.own(error.message)),
    code: error.code,
    suggestion: redactor.own(error.hint),
  };
  const { stderr = '' } = error;
  const data = stderr === '' ? words : { ...words, ...(await redactor.clean({ stderr })).data };
  const text = format === 'json' ? toJson(data) : failureText(data);
  return { content: [{ type: 'text', text }], structuredContent: data, isError: true };
}

/** A message may have grown around what a program on the node said. Cut when no secret is left that could be cut in two. */
function shortened(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)}…`;
}

function failureText({ error, code, suggestion, stderr }: Readonly<Record<string, unknown>>): string {
  const lines = [errorText(String(code), String(error), String(suggestion))];
  if (typeof stderr === 'string') lines.push('', 'STDERR:', stderr.trimEnd());
  return lines.join('\n');
}

/** The format in which a failure is told, known even when other arguments are wrong. Tools without a choice answer JSON. */
export function formatOf(tool: Tool, args: Readonly<Record<string, unknown>>): ResponseFormat {
  const parameter = tool.input.shape.response_format;
  if (parameter === undefined) return 'json';
  const asked = parameter.safeParse(args.response_format);
  const format = asked.success ? asked.data : parameter.safeParse(undefined).data;
  return format === 'text' ? 'text' : 'json';
}
