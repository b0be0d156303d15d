import type { CallToolResult } from '@modelcontextprotocol/server';
import { errorText } from '../../../lib/error-text.ts';
import type { Tool } from '../../../tools/tool.ts';
import { print, printError, proseWidth, wrapText } from '../../output/output.ts';
import { isObject } from './call-arguments.ts';

/** The structured content of a result. */
export function dataOf({ structuredContent }: CallToolResult): Readonly<Record<string, unknown>> {
  return isObject(structuredContent) ? structuredContent : {};
}

/** Prints a result as text: on stdout, or a failure on stderr. @returns the exit code */
export async function presentText(tool: Tool, result: CallToolResult): Promise<number> {
  await (result.isError === true ? printError(textOf(tool, result)) : print(textOf(tool, result)));
  return exitCodeOf(result);
}

/** Prints a result or a failure as JSON on stdout. @returns the exit code */
export async function presentJson(_tool: Tool, result: CallToolResult): Promise<number> {
  await print(`${JSON.stringify(dataOf(result), null, 2)}\n`);
  return exitCodeOf(result);
}

function textOf(tool: Tool, result: CallToolResult): string {
  const { error, code, suggestion, message, stdout, stderr, containers } = dataOf(result);
  // The text of the tool also has the output of a command that was killed, and the rows of several containers.
  const hasMore = typeof stdout === 'string' || containers !== undefined;
  if (result.isError === true && typeof error === 'string' && !hasMore) {
    const more = typeof stderr === 'string' ? `\nSTDERR:\n${stderr.trimEnd()}\n` : '';
    const text = errorText(String(code), error, String(suggestion));
    return `${text.split('\n').flatMap(wrapped).join('\n')}\n${more}`;
  }
  if (!('response_format' in tool.input.shape) && typeof message === 'string') {
    return `${wrapped(message).join('\n')}\n`;
  }
  const parts = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  return `${parts.join('\n').trimEnd()}\n`;
}

function wrapped(text: string): string[] {
  return wrapText(text, proseWidth(process.stderr));
}

function exitCodeOf(result: CallToolResult): number {
  const { code, exit_code: ofCommand } = dataOf(result);
  if (result.isError === true) return code === 'INVALID_INPUT' ? 2 : 1;
  return typeof ofCommand === 'number' ? ofCommand : 0;
}
