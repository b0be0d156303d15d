import { executeOrTell } from '../kernel/execute-file.ts';
import type { Call, Program } from '../programs/program.ts';
import type { SimulatedNode } from './node.ts';
import { lifeCycleVerbs } from './pct-life-cycle.ts';
import { migrateVerbs } from './pct-migrate.ts';
import { queryVerbs } from './pct-queries.ts';

/** An output stream of a pct command. */
interface Stream {
  write(text: string): Promise<void>;
}

/** The context of a pct command. */
export interface PctCall {
  readonly node: SimulatedNode;
  readonly options: Readonly<Record<string, string>>;
  readonly positional: readonly string[];
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Waits for a number of ms. */
  readonly delay: (ms: number) => Promise<void>;
}

export interface Verb {
  /** Options by name; the value of a `flag` may be omitted. */
  readonly options?: Readonly<Record<string, 'flag' | 'integer' | 'string'>>;
  readonly run: (call: PctCall, vmid: number) => Promise<void> | void;
  /** For commands without a VMID. */
  readonly noVmid?: boolean;
}

/** An error of pct: an exit code and a message. */
export class PctError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const VERBS: Readonly<Record<string, Verb>> = { ...queryVerbs, ...lifeCycleVerbs, ...migrateVerbs };

export function pct(node: SimulatedNode): Program {
  return async (call) => {
    try {
      return call.args[0] === 'exec' ? await exec(node, call) : await run(node, call);
    } catch (error) {
      if (!(error instanceof PctError)) throw error;
      await call.warn(`${error.message}\n`);
      return error.code;
    }
  };
}

/** Runs lxc-attach. */
async function exec(node: SimulatedNode, call: Call): Promise<number> {
  const rest = call.args.slice(1);
  const id = rest.shift();
  let keep = true;
  if (/^--?keep-env/.test(rest[0] ?? '')) {
    const option = rest.shift() ?? '';
    keep = !(option.endsWith('=0') || (rest[0] === '0' && rest.shift() === '0'));
  }
  if (rest[0] === '--') rest.shift();
  await asRoot(node, call);
  await call.process.sleep(node.cluster.scenario.times.pct);
  const vmid = vmidOf(id);
  requireConfig(node, vmid, 2);
  if (!node.runningGuest(vmid)) throw new PctError(255, `container '${vmid}' not running!`);
  call.process.ignored.add('PIPE');
  const argv = ['lxc-attach', '-n', String(vmid), keep ? '--keep-env' : '--clear-env', '--', ...rest];
  return executeOrTell(call.process, argv, call.process.env, 'pct');
}

async function run(node: SimulatedNode, call: Call): Promise<number> {
  const [name = '', ...args] = call.words;
  const verb = VERBS[name];
  if (!verb) throw new PctError(255, `ERROR: unknown command 'pct ${name}'`);
  await asRoot(node, call);
  await call.process.sleep(node.cluster.scenario.times.pct);
  const { options, positional } = parseOptions(verb.options ?? {}, args);
  const vmid = verb.noVmid ? 0 : vmidOf(positional[0]);
  await verb.run(
    {
      node,
      options,
      positional: positional.slice(1),
      stdout: { write: (text) => call.print(text) },
      stderr: { write: (text) => call.warn(text) },
      delay: (ms) => call.process.sleep(ms),
    },
    vmid,
  );
  return 0;
}

async function asRoot(node: SimulatedNode, { process }: Call): Promise<void> {
  if (process.uid !== 0)
    throw new PctError(255, 'ipcc_send_rec[1] failed: Unknown error -1\nUnable to load access control list');
  for (let queue = node.hangs('/etc/pve'); queue; queue = node.hangs('/etc/pve')) await process.block(queue);
  if (node.pmxcfs === 'down') throw new PctError(111, 'ipcc_send_rec[1] failed: Connection refused');
}

export function requireConfig(node: SimulatedNode, vmid: number, code: number): string {
  const text = node.cluster.readConfig(node.name, vmid);
  if (text !== undefined) return text;
  throw new PctError(code, `Configuration file 'nodes/${node.name}/lxc/${vmid}.conf' does not exist`);
}

function vmidOf(text: string | undefined): number {
  if (text === undefined) throw badParameter('not enough arguments');
  if (!/^\d+$/.test(text)) throw badParameter(`vmid: type check ('integer') failed - got '${text}'`);
  if (Number(text) < 100) throw badParameter('vmid: value must have a minimum value of 100');
  return Number(text);
}

export function badParameter(text: string): PctError {
  return new PctError(2, `400 Parameter verification failed.\n${text}`);
}

/** Accepts `--name value`, `--name=value` and `-name value`; the value of a flag may be omitted. */
function parseOptions(known: NonNullable<Verb['options']>, args: readonly string[]) {
  const options: Record<string, string> = {};
  const positional: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, name, inline] = /^--?([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(arg) ?? [];
    if (name === undefined) {
      positional.push(arg);
      continue;
    }
    const type = known[name] ?? known['*'];
    if (type === undefined) throw badParameter(`Unknown option: ${name}`);
    const bare = type === 'flag' && !/^[01]$/.test(rest[0] ?? '');
    const value = inline ?? (bare ? '1' : (rest.shift() ?? ''));
    if (type === 'integer' && !/^\d+$/.test(value)) {
      throw badParameter(`${name}: type check ('integer') failed - got '${value}'`);
    }
    options[name] = value;
  }
  return { options, positional };
}
