import type { CommandNode, PipelineNode, ScriptNode, SimpleCommandNode, StatementNode } from 'just-bash';
import { asHereString, ERR, OUT, redirect, redirectsBoth, redirectsOutput } from './redirections.ts';
import {
  assignment,
  bodiesOf,
  isLoop,
  isNode,
  isScript,
  literal,
  parameter,
  quoted,
  simple,
  statementOf,
  substitution,
  word,
  wordsInHead,
  wordsOf,
} from './syntax.ts';

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
