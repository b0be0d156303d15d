import { quoteAll } from '../../lib/quote.ts';
import { Shell } from '../shell/shell.ts';
import { readAll } from '../shell/streams.ts';
import { recognise } from './recognise.ts';
import type { Start } from './start.ts';

/** Programs that need their streams while they flow, and that are no shell scripts; by name. */
export type Direct = (start: Start) => Promise<number>;

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
