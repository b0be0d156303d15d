import type { CallToolResult } from '@modelcontextprotocol/server';
import { errorText } from '../../../lib/error-text.ts';
import type { Tool } from '../../../tools/tool.ts';
import { fitText } from '../../output/fit-text.ts';
import { print, printError, proseWidth, wrapLines } from '../../output/output.ts';
import { isObject } from './call-arguments.ts';

/** The structured content of a result. */
export function dataOf({ structuredContent }: CallToolResult): Readonly<Record<string, unknown>> {
  return isObject(structuredContent) ? structuredContent : {};
}

/** Prints a result as text: on stdout, or a failure on stderr. @returns the exit code */
export async function presentText(tool: Tool, result: CallToolResult): Promise<number> {
  const [write, stream] = result.isError === true ? [printError, process.stderr] : [print, process.stdout];
  await write(`${textOf(tool, result, stream)}\n`);
  return exitCodeOf(result);
}

/** Prints a result or a failure as JSON on stdout. @returns the exit code */
export async function presentJson(_tool: Tool, result: CallToolResult): Promise<number> {
  await print(`${JSON.stringify(dataOf(result), null, 2)}\n`);
  return exitCodeOf(result);
}

function textOf(tool: Tool, result: CallToolResult, stream: NodeJS.WriteStream): string {
  const width = proseWidth(stream);
  const { error, code, suggestion, message, stdout, stderr, containers } = dataOf(result);
  // The text of the tool also has the output of a command that was killed, and the rows of several containers.
  const hasMore = typeof stdout === 'string' || containers !== undefined;
  if (result.isError === true && typeof error === 'string' && !hasMore) {
    const more = typeof stderr === 'string' ? `\n\nSTDERR:\n${stderr.trimEnd()}` : '';
    return `${wrapLines(errorText(String(code), error, String(suggestion)), width)}${more}`;
  }
  if (!('response_format' in tool.input.shape) && typeof message === 'string') {
    return wrapLines(message, width);
  }
  const parts = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  return fitText(parts.join('\n').trimEnd(), width, Math.max(stream.columns ?? 0, width));
}

function exitCodeOf(result: CallToolResult): number {
  const { code, exit_code: ofCommand } = dataOf(result);
  if (result.isError === true) return code === 'INVALID_INPUT' ? 2 : 1;
  return typeof ofCommand === 'number' ? ofCommand : 0;
}
