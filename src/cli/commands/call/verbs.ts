import type { CallToolResult } from '@modelcontextprotocol/server';
import { TOOLS } from '../../../tools/index.ts';
import type { Tool } from '../../../tools/tool.ts';
import type { Request } from '../../command.ts';
import { print, printError, printMessage } from '../../output/output.ts';
import { reportUsageError } from '../../usage-error.ts';
import { type Present, performCall } from './call.ts';
import { findTool } from './call-arguments.ts';
import { dataOf, presentText } from './present-call.ts';
import { readVerb, type VerbCall } from './verb-arguments.ts';

/** `list`, `status`, `start`, `stop`, `exec` and `cp`: each makes one tool call through the same pipeline as a server. */
export async function runVerb(verb: string, request: Request): Promise<void> {
  const { input, args, options } = request;
  let call: VerbCall;
  try {
    call = readVerb(verb, args, options, process.cwd());
  } catch (error) {
    return reportUsageError(error, verb);
  }
  const { transferDir } = call;
  const flags = input.flags ?? {};
  // The user names the file here. TRANSFER_DIRS restricts assistants.
  const given =
    transferDir === undefined ? flags : { ...flags, transferDirs: flags.transferDirs ?? transferDir };
  const fallbacks = { logLevel: 'warn', ...(verb === 'exec' ? { characterLimit: '10000000' } : {}) };
  await performCall({ ...input, flags: given, fallbacks }, findTool(call.tool, TOOLS), call.args, {
    json: options.json === 'true',
    present: verb === 'exec' ? passThrough : presentText,
  });
}

/** Exit codes of `exec` other than those of the command, the same as those of `timeout` and `docker`. */
const TIMED_OUT = 124;
const CALL_FAILED = 125;

/** Passes stdout, stderr and the exit code of a command through. */
const passThrough: Present = async (tool: Tool, result: CallToolResult) => {
  const { stdout, stderr, exit_code: code, ended, error, note } = dataOf(result);
  if (typeof stdout !== 'string') {
    await presentText(tool, result);
    return dataOf(result).code === 'INVALID_INPUT' ? 2 : CALL_FAILED;
  }
  await print(stdout);
  if (typeof stderr === 'string') await printError(stderr);
  for (const text of [error, note]) {
    if (typeof text !== 'string') continue;
    await printMessage(text);
  }
  if (typeof code === 'number') return code;
  return ended === 'timeout' ? TIMED_OUT : CALL_FAILED;
};
