import { parseSignal } from '../processes/signals.ts';
import { loadJustBash } from './just-bash.ts';
import type { Program } from './machine.ts';
import type { Shell } from './shell.ts';

/** After so many ms of a loop everybody else has a turn: the loop may never end by itself. */
const TURN_MS = 5;

/** What belongs to one shell: its jobs, its traps, and the helpers that `transform` puts into its script. */
export function builtins(shell: Shell): Map<string, Program> {
  let lastTurn = performance.now();
  return new Map<string, Program>([
    ['__bg', (call) => startJob(shell, call)],
    ['__wait', ({ args }) => shell.children.wait(args.map(Number).filter(Number.isInteger))],
    [
      '__tick',
      async () => {
        if (performance.now() - lastTurn < TURN_MS) return 0;
        await new Promise((resolve) => setImmediate(resolve));
        lastTurn = performance.now();
        return 0;
      },
    ],
    [
      '__pending',
      async ({ stdout }) => {
        await stdout.write(shell.pending.splice(0).join('\n'));
        return 0;
      },
    ],
    ['__restore', ({ args }) => Number(args[0] ?? 0)],
    ['trap', ({ args }) => setTraps(shell, args)],
    [
      'jobs',
      async ({ stdout }) => {
        for (const [index, { cmdline }] of shell.children.jobs.entries()) {
          await stdout.write(`[${index + 1}]+  Running                 ${cmdline} &\n`);
        }
        return 0;
      },
    ],
    ['disown', () => 0],
  ]);
}

const startJob: (shell: Shell, call: Parameters<Program>[0]) => Promise<number> = async (shell, call) => {
  const { serialize } = await loadJustBash();
  const [index = '0', ...title] = call.args;
  const job = shell.jobs[Number(index)];
  if (!job) return 1;
  const text = serialize({ type: 'Script', statements: [job.statement] });
  const pid = shell.children.start(Number(index), { ...call, env: call.variables }, title, text);
  await call.stdout.write(String(pid));
  return 0;
};

function setTraps(shell: Shell, args: readonly string[]): number {
  const [command = '', ...names] = args;
  for (const name of names) {
    if (/^(EXIT|0)$/i.test(name)) {
      if (command === '-') shell.traps.delete('EXIT');
      else shell.traps.set('EXIT', command);
      continue;
    }
    const signal = parseSignal(name);
    if (signal === undefined) return 1;
    shell.traps.delete(signal);
    shell.process.ignored.delete(signal);
    if (command === '') shell.process.ignored.add(signal);
    else if (command !== '-') shell.traps.set(signal, command);
  }
  return 0;
}
