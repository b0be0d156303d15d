import type { Tool } from '../tools/tool.ts';

/** Arguments that clients add to every tool call regardless of its schema, and the client that adds each. */
const KNOWN_CLIENT_FIELDS: ReadonlyMap<string, string> = new Map([
  // https://github.com/n8n-io/n8n/issues/21500 and 22787
  ['toolCallId', 'n8n'],
  ['sessionId', 'n8n'],
  ['action', 'n8n'],
  ['chatInput', 'n8n'],
  // https://github.com/crewAIInc/crewAI/issues/4796
  ['security_context', 'CrewAI'],
  // https://github.com/cline/cline/issues/9684
  ['task_progress', 'Cline'],
  // https://github.com/google-gemini/gemini-cli/issues/27403
  ['wait_for_previous', 'Gemini CLI'],
]);

type Arguments = Readonly<Record<string, unknown>>;

/** The names of the arguments that a known client has added. Arguments of the tool are never among them. */
export function clientFieldsIn(tool: Pick<Tool, 'input'>, args: Arguments): readonly string[] {
  return Object.keys(args).filter(
    (name) => KNOWN_CLIENT_FIELDS.has(name) && !Object.hasOwn(tool.input.shape, name),
  );
}

/** `args` without the arguments that a known client has added. */
export function withoutClientFields(tool: Pick<Tool, 'input'>, args: Arguments): Arguments {
  const ignored = clientFieldsIn(tool, args);
  if (ignored.length === 0) return args;
  return Object.fromEntries(Object.entries(args).filter(([name]) => !ignored.includes(name)));
}
