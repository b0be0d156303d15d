import type {
  CommandNode,
  PipelineNode,
  ScriptNode,
  SimpleCommandNode,
  StatementNode,
  WordNode,
} from 'just-bash';

// Reading and making pieces of just-bash's syntax tree.

/** The text of a word that needs no expansion. */
export function literal(from: WordNode | null): string | undefined {
  const [part, ...more] = from?.parts ?? [];
  const plain = part?.type === 'Literal' || part?.type === 'SingleQuoted';
  return plain && more.length === 0 ? part.value : undefined;
}

export function isNode(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function isScript(value: unknown): value is ScriptNode {
  return isNode(value) && value.type === 'Script';
}

export function word(text: string): WordNode {
  return { type: 'Word', parts: [{ type: 'Literal', value: text }] };
}

export function parameter(name: string): WordNode {
  return { type: 'Word', parts: [{ type: 'ParameterExpansion', parameter: name, operation: null }] };
}

export function quoted({ parts }: WordNode): WordNode {
  return { type: 'Word', parts: [{ type: 'DoubleQuoted', parts }] };
}

export function substitution(program: string, argument?: string, more: readonly WordNode[] = []): WordNode {
  const args = argument === undefined ? [] : [word(argument)];
  const command = simple([word(program), ...args, ...structuredClone(more)]);
  const body: ScriptNode = { type: 'Script', statements: [statementOf(command)] };
  return { type: 'Word', parts: [{ type: 'CommandSubstitution', body, legacy: false }] };
}

export function assignment(name: string, value: WordNode): SimpleCommandNode['assignments'][number] {
  return { type: 'Assignment', name, value, append: false, array: null };
}

export function simple([name, ...args]: WordNode[]): SimpleCommandNode {
  return { type: 'SimpleCommand', assignments: [], name: name ?? null, args, redirections: [] };
}

export function statementOf(command: CommandNode): StatementNode {
  const pipeline: PipelineNode = { type: 'Pipeline', commands: [command], negated: false };
  return { type: 'Statement', pipelines: [pipeline], operators: [], background: false };
}

/** A command that holds others. */
export type Compound = Exclude<CommandNode, { type: 'FunctionDef' | 'SimpleCommand' }>;

export function bodiesOf(command: Compound): StatementNode[][] {
  switch (command.type) {
    case 'If':
      return [
        ...command.clauses.flatMap(({ condition, body }) => [condition, body]),
        ...(command.elseBody ? [command.elseBody] : []),
      ];
    case 'While':
    case 'Until':
      return [command.condition, command.body];
    case 'Case':
      return command.items.map(({ body }) => body);
    case 'For':
    case 'CStyleFor':
    case 'Subshell':
    case 'Group':
      return [command.body];
    default:
      return [];
  }
}

export function isLoop(
  command: Compound,
): command is Extract<Compound, { type: 'For' | 'CStyleFor' | 'While' | 'Until' }> {
  return /^(For|CStyleFor|While|Until)$/.test(command.type);
}

export function wordsInHead(command: Compound): unknown[] {
  if (command.type === 'For') return [command.words, command.redirections];
  if (command.type === 'Case') return [command.word, command.redirections];
  if (command.type === 'ConditionalCommand') return [command.expression];
  return [command.redirections];
}

export function wordsOf(command: SimpleCommandNode): WordNode[] {
  return command.name === null ? [] : [command.name, ...command.args];
}
