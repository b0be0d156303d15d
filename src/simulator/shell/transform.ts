import type {
  CommandNode,
  PipelineNode,
  ScriptNode,
  SimpleCommandNode,
  StatementNode,
  WordNode,
} from 'just-bash';

/** Paths through which a statement's output leaves as soon as the statement is done. */
export const OUT = '/dev/.stdout';
export const ERR = '/dev/.stderr';
/** Set for programs whose output may go straight to the streams of the shell, line by line. */
export const LIVE = '__live';

/** A statement that was followed by `&`. */
export interface BackgroundJob {
  readonly statement: StatementNode;
  /** It keeps none of the shell's streams open, for it has its own. */
  readonly redirected: boolean;
  /** Started in a subshell that does not wait for it: init becomes its parent. */
  readonly orphaned: boolean;
}

export interface Transformed {
  readonly jobs: readonly BackgroundJob[];
  readonly functions: readonly CommandNode[];
}

/** Builtins that steer the shell; an output redirection on them would be in the way. */
const STEERING = new Set([
  'exit',
  'return',
  'break',
  'continue',
  'exec',
  'shift',
  'set',
  'cd',
  'export',
  'unset',
  'local',
]);
/** Programs that take their time or start others. */
const LIVE_PROGRAMS =
  /^(sh|bash|env|setsid|nohup|sudo|timeout|nice|ionice|stdbuf|tail|ping|watch|pct|lxc-attach|journalctl|yes)$/;

/**
 * Rewrites a script so that just-bash, which runs one command after the other and hands over all output at the end,
 * behaves as a shell on a system with processes: each statement whose output is not captured writes to the streams at
 * once; `cmd &` becomes a job of the simulator; loops let others have their turn; traps are looked after.
 */
export function transform(
  script: ScriptNode,
  { hasTraps, isBash }: { hasTraps: boolean; isBash: boolean },
): Transformed {
  const jobs: BackgroundJob[] = [];
  const functions: CommandNode[] = [];
  const ended = new Set<CommandNode>();
  visitStatements(script.statements, { captured: false, subshell: false });
  return { jobs, functions };

  function visitStatements(list: StatementNode[], context: Context): void {
    const done: StatementNode[] = [];
    for (const statement of list) {
      if (statement.background) {
        done.push(...background(statement, context));
        continue;
      }
      for (const pipeline of statement.pipelines) visitPipeline(pipeline, context);
      delete statement.sourceText;
      done.push(statement);
      if (givesWay(statement)) done.push(statementOf(simple([word('exit')])));
      if (hasTraps && !context.captured) done.push(...trapCheck());
    }
    list.splice(0, list.length, ...done);
  }

  function givesWay({ pipelines }: StatementNode): boolean {
    const last = pipelines.at(-1)?.commands.at(-1);
    return last?.type === 'SimpleCommand' && ended.has(last);
  }

  function background(statement: StatementNode, context: Context): StatementNode[] {
    statement.background = false;
    delete statement.sourceText;
    if (context.captured) {
      // Whoever captures the output waits for all who may still write; so it comes to the same.
      visitStatements([statement], context);
      return [statement];
    }
    const last = statement.pipelines.at(-1)?.commands.at(-1);
    jobs.push({
      statement,
      redirected: last !== undefined && redirectsBoth(last),
      orphaned: context.subshell,
    });
    const only = statement.pipelines.length === 1 ? statement.pipelines[0]?.commands : undefined;
    const title = only?.length === 1 && only[0]?.type === 'SimpleCommand' ? wordsOf(only[0]) : [];
    for (const word of title) visitInside(word);
    const start: SimpleCommandNode = { ...simple([]), name: null };
    start.assignments.push(assignment('__job', substitution('__bg', String(jobs.length - 1), title)));
    return [statementOf(start)];
  }

  function visitPipeline(pipeline: PipelineNode, context: Context): void {
    const last = pipeline.commands.length - 1;
    pipeline.commands.forEach((command, index) => {
      const captured = context.captured || index < last;
      visitCommand(command, { captured, subshell: context.subshell || last > 0 });
      if (!context.captured && captured) redirect(command, [], true);
    });
  }

  function visitCommand(command: CommandNode, context: Context): void {
    if (command.type === 'FunctionDef') {
      visitCommand(command.body, { captured: true, subshell: false });
      functions.push(command);
      return;
    }
    if (command.type === 'SimpleCommand') {
      visitSimple(command, context);
      return;
    }
    command.redirections = command.redirections.map(asHereString);
    const captured = context.captured || redirectsOutput(command);
    const inside = { captured, subshell: context.subshell || command.type === 'Subshell' };
    for (const body of bodiesOf(command)) visitStatements(body, inside);
    if (isLoop(command)) command.body.unshift(statementOf(simple([word('__tick')])));
    for (const each of wordsInHead(command)) visitInside(each);
    if (captured && !context.captured) redirect(command, [OUT, ERR]);
  }

  function visitSimple(command: SimpleCommandNode, context: Context): void {
    // just-bash's exec comes back; so the program is called, and what follows is the end.
    if (literal(command.name) === 'exec' && command.args.length > 0) {
      command.name = command.args.shift() ?? null;
      ended.add(command);
    }
    command.redirections = command.redirections.map(asHereString);
    const name = literal(command.name);
    visitInside(command.args);
    visitInside(command.assignments);
    visitInside(command.redirections);
    if (name === 'wait' && command.name) command.name = word('__wait');
    if (context.captured || command.name === null || STEERING.has(name ?? '')) return;
    if (name !== undefined && LIVE_PROGRAMS.test(name) && !redirectsOutput(command)) {
      command.assignments.unshift({
        type: 'Assignment',
        name: LIVE,
        value: word('1'),
        append: false,
        array: null,
      });
    }
    redirect(command, [OUT, ERR]);
  }

  /** Command substitutions inside words, and `$!`. */
  function visitInside(node: unknown): void {
    if (Array.isArray(node)) {
      for (const each of node) visitInside(each);
      return;
    }
    if (!isNode(node)) return;
    if (node.type === 'CommandSubstitution' || node.type === 'ProcessSubstitution') {
      const { body } = node;
      if (isScript(body)) visitStatements(body.statements, { captured: true, subshell: true });
      return;
    }
    if (node.type === 'ParameterExpansion') {
      if (node.parameter === '!') node.parameter = '__job';
      // just-bash takes itself for bash everywhere.
      if (!isBash && String(node.parameter).startsWith('BASH')) node.parameter = '__unset';
    }
    for (const value of Object.values(node)) visitInside(value);
  }
}

type RedirectionNode = SimpleCommandNode['redirections'][number];

/** A here-document as a here-string: just-bash would write the redirections that follow it behind its end. */
function asHereString(redirection: RedirectionNode): RedirectionNode {
  const { target } = redirection;
  if (target.type !== 'HereDoc') return redirection;
  const parts = structuredClone(target.content.parts);
  const last = parts.at(-1);
  if (last?.type === 'Literal') last.value = last.value.replace(/\n$/, '');
  const text = parts.map((part) => (part.type === 'Literal' ? part.value : '')).join('');
  const plain = target.quoted || parts.every((part) => part.type === 'Literal');
  const quotedPart: WordNode['parts'][number] = plain
    ? { type: 'SingleQuoted', value: text }
    : { type: 'DoubleQuoted', parts };
  // A single quote can't stand between single quotes.
  const pieces = plain && text.includes("'") ? piecesOf(text) : [quotedPart];
  return { ...redirection, operator: '<<<', target: { type: 'Word', parts: pieces } };
}

function piecesOf(text: string): WordNode['parts'] {
  return text
    .split("'")
    .flatMap((value, index) => [
      ...(index > 0 ? [{ type: 'Escaped' as const, value: "'" }] : []),
      { type: 'SingleQuoted' as const, value },
    ]);
}

interface Context {
  /** Somebody takes the output: a pipe, a file, `$(…)`. */
  readonly captured: boolean;
  readonly subshell: boolean;
}

function trapCheck(): StatementNode[] {
  const status: SimpleCommandNode = { ...simple([]), name: null };
  status.assignments.push(assignment('__status', parameter('?')));
  const pending: SimpleCommandNode = { ...simple([]), name: null };
  pending.assignments.push(assignment('__pending', substitution('__pending')));
  const run = simple([word('eval'), quoted(parameter('__pending'))]);
  redirect(run, [OUT, ERR]);
  const restore = simple([word('__restore'), parameter('__status')]);
  return [status, pending, run, restore].map(statementOf);
}

/** Puts the streams in front of what the command redirects itself, so that its own words win. */
function redirect(command: CommandNode, paths: readonly string[], onlyErr = false): void {
  if (command.type === 'FunctionDef') return;
  const [out, err] = onlyErr ? [undefined, ERR] : paths;
  const added = [
    ...(out === undefined ? [] : [{ fd: null, path: out }]),
    ...(err === undefined ? [] : [{ fd: 2, path: err }]),
  ].map(({ fd, path }) => ({
    type: 'Redirection' as const,
    fd,
    operator: '>>' as const,
    target: word(path),
  }));
  command.redirections.unshift(...added);
}

const TO_OUTPUT = new Set(['>', '>>', '>|', '&>', '&>>', '>&']);

function redirectsOutput(command: Exclude<CommandNode, { type: 'FunctionDef' }>): boolean {
  return command.redirections.some(({ operator }) => TO_OUTPUT.has(operator));
}

function redirectsBoth(command: CommandNode): boolean {
  const outputs = command.redirections.filter(({ operator }) => TO_OUTPUT.has(operator));
  const both = outputs.some(({ operator }) => operator.startsWith('&>'));
  return both || (outputs.some(({ fd }) => fd === null || fd === 1) && outputs.some(({ fd }) => fd === 2));
}

type Compound = Exclude<CommandNode, { type: 'FunctionDef' | 'SimpleCommand' }>;

function bodiesOf(command: Compound): StatementNode[][] {
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

function isLoop(
  command: Compound,
): command is Extract<Compound, { type: 'For' | 'CStyleFor' | 'While' | 'Until' }> {
  return /^(For|CStyleFor|While|Until)$/.test(command.type);
}

function wordsInHead(command: Compound): unknown[] {
  if (command.type === 'For') return [command.words, command.redirections];
  if (command.type === 'Case') return [command.word, command.redirections];
  if (command.type === 'ConditionalCommand') return [command.expression];
  return [command.redirections];
}

function wordsOf(command: SimpleCommandNode): WordNode[] {
  return command.name === null ? [] : [command.name, ...command.args];
}

/** The text of a word that needs no expansion. */
export function literal(from: WordNode | null): string | undefined {
  const [part, ...more] = from?.parts ?? [];
  const plain = part?.type === 'Literal' || part?.type === 'SingleQuoted';
  return plain && more.length === 0 ? part.value : undefined;
}

function isNode(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isScript(value: unknown): value is ScriptNode {
  return isNode(value) && value.type === 'Script';
}

function word(text: string): WordNode {
  return { type: 'Word', parts: [{ type: 'Literal', value: text }] };
}

function parameter(name: string): WordNode {
  return { type: 'Word', parts: [{ type: 'ParameterExpansion', parameter: name, operation: null }] };
}

function quoted({ parts }: WordNode): WordNode {
  return { type: 'Word', parts: [{ type: 'DoubleQuoted', parts }] };
}

function substitution(program: string, argument?: string, more: readonly WordNode[] = []): WordNode {
  const args = argument === undefined ? [] : [word(argument)];
  const command = simple([word(program), ...args, ...structuredClone(more)]);
  const body: ScriptNode = { type: 'Script', statements: [statementOf(command)] };
  return { type: 'Word', parts: [{ type: 'CommandSubstitution', body, legacy: false }] };
}

function assignment(name: string, value: WordNode): SimpleCommandNode['assignments'][number] {
  return { type: 'Assignment', name, value, append: false, array: null };
}

function simple([name, ...args]: WordNode[]): SimpleCommandNode {
  return { type: 'SimpleCommand', assignments: [], name: name ?? null, args, redirections: [] };
}

function statementOf(command: CommandNode): StatementNode {
  const pipeline: PipelineNode = { type: 'Pipeline', commands: [command], negated: false };
  return { type: 'Statement', pipelines: [pipeline], operators: [], background: false };
}
