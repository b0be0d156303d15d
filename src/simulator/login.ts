import type { ScriptNode, WordNode } from 'just-bash';
import type { SimulatedNode } from './node/node.ts';
import { execute } from './roles/execute.ts';
import { untilDeath } from './roles/start.ts';
import { loadJustBash } from './shell/just-bash.ts';
import type { Streams } from './shell/streams.ts';

/** A command line as sshd hands it to the login shell of a user. @returns the exit code */
export async function login(
  node: SimulatedNode,
  user: string,
  line: string,
  streams: Streams,
): Promise<number> {
  const home = user === 'root' ? '/root' : `/home/${user}`;
  const env = new Map([
    ['USER', user],
    ['LOGNAME', user],
    ['HOME', home],
    ['SHELL', '/bin/bash'],
    ['PATH', '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'],
    ['SSH_CONNECTION', '127.0.0.1 50000 127.0.0.1 22'],
  ]);
  const plan = await understand(line, env);
  const argv = plan?.argv ?? ['bash', '-c', line];
  const process = node.table.spawn({
    parent: undefined,
    comm: 'bash',
    argv,
    env: new Map([...env, ...(plan?.env ?? [])]),
    vmid: null,
    setsid: true,
    ...(plan?.slackNs === undefined ? {} : { slackNs: plan.slackNs }),
  });
  const start = {
    machine: node,
    process,
    argv,
    env: process.env,
    cwd: node.files.exists(home) ? home : '/',
    uid: node.uidOf(user),
    streams,
  };
  const code = await untilDeath(process, execute(start, node.directs));
  process.end();
  return code;
}

interface Plan {
  readonly argv: string[];
  readonly env: Map<string, string>;
  readonly slackNs: number | undefined;
}

/**
 * A line that ends in `exec PROGRAM …` with nothing to expand but variables is started without a shell in between, so that
 * its streams flow; before it only the timer slack may be set. Anything else is for the shell: undefined.
 */
async function understand(line: string, env: ReadonlyMap<string, string>): Promise<Plan | undefined> {
  const { parse } = await loadJustBash();
  let script: ScriptNode;
  try {
    script = parse(line);
  } catch {
    return undefined;
  }
  const last = script.statements.at(-1);
  const command = last?.pipelines[0]?.commands[0];
  if (last?.pipelines.length !== 1 || last.background || command?.type !== 'SimpleCommand') return undefined;
  if (command.redirections.length > 0 || last.pipelines[0]?.commands.length !== 1) return undefined;
  const words = [command.name, ...command.args].map((word) => textOf(word, env));
  const assigned = command.assignments.map(({ name, value }) => [name, textOf(value, env)] as const);
  if (words[0] !== 'exec' || [...words, ...assigned.map(([, value]) => value)].includes(undefined))
    return undefined;
  const slackNs = slackOf(script);
  if (script.statements.length > (slackNs === undefined ? 1 : 2)) return undefined;
  return {
    argv: words.slice(1).map(String),
    env: new Map(assigned.map(([name, value]) => [name, value ?? ''])),
    slackNs,
  };
}

/** `{ echo N >/proc/self/timerslack_ns; } 2>/dev/null` as the first statement. */
function slackOf(script: ScriptNode): number | undefined {
  const group = script.statements[0]?.pipelines[0]?.commands[0];
  const echo = group?.type === 'Group' ? group.body[0]?.pipelines[0]?.commands[0] : undefined;
  if (echo?.type !== 'SimpleCommand') return undefined;
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
