import { setTimeout as delay } from 'node:timers/promises';
import type { Program, ProgramCall, SpawnOptions } from '../shell/machine.ts';
import { TextSink } from '../shell/streams.ts';

/** Programs that take their time, and programs that start others. */
export const launchers: readonly (readonly [string, Program])[] = [
  ['sleep', sleep],
  ['sh', shell],
  ['bash', shell],
  ['env', env],
  ['setsid', (call) => call.spawn(withoutOptions(call.args), { setsid: true })],
  ['nohup', (call) => call.spawn(call.args, { ignore: ['HUP'] })],
  ['nice', (call) => call.spawn(withoutOptions(call.args, /^-n$/))],
  ['timeout', timeout],
  ['yes', yes],
];

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function seconds(text: string): number | undefined {
  const [, number, unit = 's'] = /^(\d*\.?\d+)([smhd])?$/.exec(text) ?? [];
  return number === undefined ? (text === 'infinity' ? 1e9 : undefined) : Number(number) * (UNITS[unit] ?? 1);
}

async function sleep({ args, child, stderr }: ProgramCall): Promise<number> {
  const times = args.map(seconds);
  if (times.length === 0 || times.includes(undefined)) {
    await stderr.write(
      args.length === 0 ? 'sleep: missing operand\n' : `sleep: invalid time interval '${args.join(' ')}'\n`,
    );
    return 1;
  }
  const total = times.reduce((sum: number, each) => sum + (each ?? 0), 0);
  return child(['sleep', ...args], async (signal) => {
    // A timer takes no more than 2^31 ms.
    await delay(Math.min(total * 1000, 2 ** 31 - 1), undefined, { signal }).catch(() => {});
    return 0;
  });
}

/** A script given by -c runs in a shell of its own; a file is left to just-bash. */
async function shell(call: ProgramCall): Promise<number> {
  const [flag = ''] = call.args;
  if (/^-[a-z]*c$/.test(flag)) return call.spawn(['sh', ...call.args]);
  const result = await call.original(call.args);
  await call.stdout.write(result.stdout);
  await call.stderr.write(result.stderr);
  return result.exitCode;
}

async function env(call: ProgramCall): Promise<number> {
  const rest = [...call.args];
  let variables = new Map(call.env);
  while (rest[0]?.startsWith('-')) {
    const option = rest.shift();
    if (option === '-i' || option === '-' || option === '--ignore-environment') variables = new Map();
    if (option === '-u') variables.delete(rest.shift() ?? '');
  }
  for (let match = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(rest[0] ?? ''); match; ) {
    variables.set(match[1] ?? '', match[2] ?? '');
    rest.shift();
    match = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(rest[0] ?? '');
  }
  if (rest.length > 0) return call.spawn(rest, { env: variables });
  for (const [name, value] of variables) await call.stdout.write(`${name}=${value}\n`);
  return 0;
}

async function timeout(call: ProgramCall): Promise<number> {
  const rest = withoutOptions(call.args, /^-[ks]$/);
  const limit = seconds(rest[0] ?? '');
  if (limit === undefined) {
    await call.stderr.write(`timeout: invalid time interval '${rest[0] ?? ''}'\n`);
    return 125;
  }
  const options: SpawnOptions = limit === 0 ? {} : { timeoutMs: limit * 1000 };
  return call.spawn(rest.slice(1), options);
}

/** Writes until it is ended or nobody reads. */
function yes({ args, child, stdout }: ProgramCall): Promise<number> {
  const block = Buffer.from(`${args.join(' ') || 'y'}\n`.repeat(512));
  return child(['yes', ...args], async (signal) => {
    // Who collects it for a pipe would collect for ever.
    let room = stdout instanceof TextSink ? 64 : Number.POSITIVE_INFINITY;
    while (!signal.aborted && room-- > 0 && (await stdout.write(block)))
      await new Promise((resolve) => setImmediate(resolve));
    return signal.aborted ? 143 : 141;
  });
}

/** @param takesValue options that are followed by a word of their own */
export function withoutOptions(args: readonly string[], takesValue = /^$/): string[] {
  let index = 0;
  while (args[index]?.startsWith('-')) index += takesValue.test(args[index] ?? '') ? 2 : 1;
  return args.slice(index);
}
