import { Readable } from 'node:stream';
import { quoteAll } from '../../lib/quote.ts';
import { Shell } from '../shell/shell.ts';
import { readAll } from '../shell/streams.ts';
import { ByteSource } from './byte-source.ts';
import { isComplete, understand } from './plan.ts';
import { recognise } from './recognise.ts';
import type { Start } from './start.ts';

/** Programs that need their streams while they flow, and that are no shell scripts; by name. */
export type Direct = (start: Start) => Promise<number>;

/** Runs a command line as a login shell does: one that ends in `exec PROGRAM …` becomes that program. */
export async function executeLine(
  start: Start,
  line: string,
  directs: ReadonlyMap<string, Direct>,
): Promise<number> {
  const plan = await understand(line, start.env);
  if (!plan) return execute({ ...start, argv: ['bash', '-c', line] }, directs);
  if (plan.before !== '') {
    const shell = new Shell({ ...start, ...start.streams, stdin: Buffer.alloc(0) });
    const code = await shell.run(plan.before);
    if (code !== 0) return code;
  }
  if (plan.slackNs !== undefined) start.process.slackNs = plan.slackNs;
  return execute({ ...start, argv: plan.argv, env: plan.env }, directs);
}

/** A shell that reads its commands from stdin, one complete command after the other; an `exec` ends it. */
async function readCommands(start: Start, directs: ReadonlyMap<string, Direct>): Promise<number> {
  const source = new ByteSource(start.streams.stdin);
  const streams = { ...start.streams, stdin: Readable.from([]) };
  let code = 0;
  let text = '';
  for (let line = await source.line(); line !== null; line = await source.line()) {
    text += `${line}\n`;
    if (!(await isComplete(text))) continue;
    code = await executeLine({ ...start, streams }, text, directs);
    if (await understand(text, start.env)) return code;
    text = '';
  }
  return code;
}

/** Becomes the program that `argv` names. @returns its exit code */
export async function execute(
  start: Start,
  directs: ReadonlyMap<string, Direct> = new Map(),
): Promise<number> {
  const { argv, process, streams } = start;
  const [path = ''] = argv;
  const name = path.slice(path.lastIndexOf('/') + 1);
  process.comm = name.slice(0, 15);
  process.argv = argv;
  process.env = start.env;
  if (name === 'env') return execute(applyEnv(start), directs);
  const direct = directs.get(name);
  if (direct) return direct(start);
  if ((name === 'sh' || name === 'bash') && argv.length === 1) return readCommands(start, directs);
  if ((name === 'sh' || name === 'bash') && argv[1] === '-c') {
    const role = recognise(argv[2] ?? '');
    if (role) return role(start, argv.slice(4));
    return shell(start).then(async (it) => it.run(argv[2] ?? ''));
  }
  return (await shell(start, true)).run(quoteAll(argv));

  async function shell(from: Start, givesWay = false): Promise<Shell> {
    return new Shell({
      ...from,
      ...streams,
      stdin: await readAll(streams.stdin),
      positional: from.argv.slice(3),
      givesWay,
    });
  }
}

/** `env -i A=1 B=2 program …` */
function applyEnv(start: Start): Start {
  const rest = start.argv.slice(1);
  let env = new Map(start.env);
  if (rest[0] === '-i') {
    env = new Map();
    rest.shift();
  }
  for (;;) {
    const match = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(rest[0] ?? '');
    if (!match) return { ...start, env, argv: rest };
    env.set(match[1] ?? '', match[2] ?? '');
    rest.shift();
  }
}
