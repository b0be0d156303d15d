import type { CommandNode, ScriptNode, SimpleCommandNode, StatementNode, WordNode } from 'just-bash';
import { messageOf } from '../../lib/errors.ts';
import { loadJustBash } from '../shell/just-bash.ts';

/** A command line that ends in one program, and what comes before it. */
export interface Plan {
  readonly argv: string[];
  /** All variables that it gets. */
  readonly env: Map<string, string>;
  readonly slackNs: number | undefined;
  /** What a shell has to do first; where that fails, the program is not started. Empty for nothing. */
  readonly before: string;
}

/**
 * A line that ends in `exec PROGRAM …` with nothing to expand but variables is started without a shell in between, so that
 * its streams flow. What sets no more than variables and the timer slack before it is understood; the rest of what comes
 * before is for a shell, which passes nothing on to the program. A line of another kind is for the shell: undefined.
 */
export async function understand(line: string, env: ReadonlyMap<string, string>): Promise<Plan | undefined> {
  const { parse, serialize } = await loadJustBash();
  let script: ScriptNode;
  try {
    script = parse(line);
  } catch {
    return undefined;
  }
  const variables = new Map(env);
  let slackNs: number | undefined;
  const before: StatementNode[] = [];
  for (const statement of script.statements.slice(0, -1)) {
    const command = onlyCommand(statement);
    const slack = command?.type === 'Group' ? slackOf(command) : undefined;
    if (slack !== undefined) slackNs = slack;
    else if (command?.type !== 'SimpleCommand' || !setVariables(command, variables)) before.push(statement);
  }
  const last = onlyCommand(script.statements.at(-1));
  if (last?.type !== 'SimpleCommand' || last.redirections.length > 0) return undefined;
  const words = [last.name, ...last.args].map((word) => textOf(word, variables));
  if (words[0] !== 'exec' || words.length < 2 || words.includes(undefined)) return undefined;
  if (!setVariables({ ...last, name: null, args: [] }, variables)) return undefined;
  return {
    argv: words.slice(1).map(String),
    env: variables,
    slackNs,
    before: before.length === 0 ? '' : serialize({ ...script, statements: before }),
  };
}

function onlyCommand(statement: StatementNode | undefined): CommandNode | undefined {
  const [pipeline, ...pipelines] = statement?.pipelines ?? [];
  const [command, ...commands] = pipeline?.commands ?? [];
  return pipelines.length > 0 || commands.length > 0 || statement?.background ? undefined : command;
}

/** `export A=1 B="$C"` and `A=1`. @returns whether it was no more than that */
function setVariables(command: SimpleCommandNode, variables: Map<string, string>): boolean {
  const exported = textOf(command.name, variables) === 'export';
  if (command.name !== null && !exported) return false;
  const texts = [
    ...command.assignments.map(({ name, value }) => [name, textOf(value, variables)] as const),
    ...command.args.map((word) => {
      const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(textOf(word, variables) ?? '') ?? [];
      return [name, value] as const;
    }),
  ];
  for (const [name, value] of texts) {
    if (name === undefined || value === undefined) return false;
    variables.set(name, value);
  }
  return command.redirections.length === 0;
}

/** `{ echo N >/proc/self/timerslack_ns; } 2>/dev/null` */
function slackOf(group: Extract<CommandNode, { type: 'Group' }>): number | undefined {
  const echo = onlyCommand(group.body[0]);
  if (echo?.type !== 'SimpleCommand' || group.body.length !== 1) return undefined;
  const target = echo.redirections[0]?.target;
  const path = target?.type === 'Word' ? textOf(target, new Map()) : undefined;
  if (path !== '/proc/self/timerslack_ns' || textOf(echo.name, new Map()) !== 'echo') return undefined;
  return Number(textOf(echo.args[0] ?? null, new Map()));
}

/** The text of a word, if it takes no more than quotes and plain variables to know it. */
function textOf(word: WordNode | null, env: ReadonlyMap<string, string>): string | undefined {
  let text = '';
  for (const part of word?.parts ?? []) {
    if (part.type === 'Literal' || part.type === 'SingleQuoted' || part.type === 'Escaped')
      text += part.value;
    else if (part.type === 'ParameterExpansion' && part.operation === null)
      text += env.get(part.parameter) ?? '';
    else if (part.type === 'DoubleQuoted') {
      const inner = textOf({ type: 'Word', parts: part.parts }, env);
      if (inner === undefined) return undefined;
      text += inner;
    } else return undefined;
  }
  return text;
}

/** Whether no quote or compound command is still open. */
export async function isComplete(text: string): Promise<boolean> {
  const { parse } = await loadJustBash();
  try {
    parse(text);
    return true;
  } catch (error) {
    return !/unexpected EOF|got EOF|unexpected token `(fi|then|do|done|esac)'/.test(messageOf(error));
  }
}
