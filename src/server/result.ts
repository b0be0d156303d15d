import type { CallToolResult } from '@modelcontextprotocol/server';
import type { AppError } from '../lib/errors.ts';
import { toJson } from '../tools/shared/format.ts';
import type { ResponseFormat } from '../tools/shared/params.ts';
import type { Reply, Tool } from '../tools/tool.ts';

/** What a tool answered, as MCP carries it. */
export function presentReply(reply: Reply<Record<string, unknown>>): CallToolResult {
  return {
    content: [{ type: 'text', text: reply.text }],
    structuredContent: reply.data,
    ...(reply.isError === true ? { isError: true } : {}),
  };
}

/** The form of every failure: the same content as data, and as text in the format that was asked for. */
export function presentError(error: AppError, format: ResponseFormat): CallToolResult {
  const data = {
    success: false,
    error: error.message,
    code: error.code,
    suggestion: error.hint,
    ...(error.stderr === undefined || error.stderr === '' ? {} : { stderr: error.stderr }),
  };
  const text = format === 'json' ? toJson(data) : errorText(error);
  return { content: [{ type: 'text', text }], structuredContent: data, isError: true };
}

function errorText(error: AppError): string {
  const lines = [`Error (${error.code}): ${error.message}`, `Suggestion: ${error.hint}`];
  if (error.stderr !== undefined && error.stderr !== '') lines.push('', 'STDERR:', error.stderr.trimEnd());
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
