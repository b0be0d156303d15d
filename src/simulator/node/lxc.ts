import { Readable } from 'node:stream';
import { type Direct, execute } from '../roles/execute.ts';
import { type Start, untilDeath } from '../roles/start.ts';
import type { Program } from '../shell/machine.ts';
import type { Sink } from '../shell/streams.ts';
import type { SimulatedNode } from './node.ts';

/** LXC's own commands, which know nothing of Proxmox's locks and configuration. */
export function lxcDirects(node: SimulatedNode): readonly (readonly [string, Direct])[] {
  const direct: Direct = (start) => version(start.argv.slice(1), start.streams.stdout) ?? attach(node, start);
  return [['lxc-attach', direct]];
}

export function lxcPrograms(node: SimulatedNode): readonly (readonly [string, Program])[] {
  const programs: readonly (readonly [string, Program])[] = [
    ['lxc-info', ({ args, stdout, stderr }) => info(node, args, stdout, stderr)],
    [
      'lxc-ls',
      async ({ stdout }) => {
        await stdout.write(`${[...node.guests.keys()].join(' ')}\n`);
        return 0;
      },
    ],
    ['lxc-stop', ({ args, stderr }) => stop(node, args, stderr)],
    ['lxc-freeze', ({ args }) => freeze(node, args, true)],
    ['lxc-unfreeze', ({ args }) => freeze(node, args, false)],
    ['lxc-attach', (call) => attach(node, asStart(call, ['lxc-attach', ...call.args]))],
  ];
  return programs.map(([name, program]) => [
    name,
    (call) => version(call.args, call.stdout) ?? program(call),
  ]);
}

/** What each of them prints when that is all it is asked; undefined otherwise. */
function version(args: readonly string[], stdout: Sink): Promise<number> | undefined {
  return args.join() === '--version' ? stdout.write('6.0.5\n').then(() => 0) : undefined;
}

/** What a program that was called by a shell starts with. */
export function asStart(call: Parameters<Program>[0], argv: readonly string[]): Start {
  const streams = {
    stdin: Readable.from(call.stdin.length > 0 ? [call.stdin] : []),
    stdout: call.stdout,
    stderr: call.stderr,
  };
  return { ...call, argv, streams };
}

async function attach(node: SimulatedNode, start: Start): Promise<number> {
  const { vmid, clear, variables, argv } = parseAttach(start.argv.slice(1));
  const guest = node.runningGuest(vmid);
  const { stderr } = start.streams;
  if (start.uid !== 0) {
    await stderr.write(
      `lxc-attach: ${vmid}: ../src/lxc/tools/lxc_attach.c: main: 387 You lack access to /var/lib/lxc\n`,
    );
    return 1;
  }
  if (!guest) {
    await stderr.write(
      `lxc-attach: ${vmid}: ../src/lxc/attach.c: get_attach_context: 406 Connection refused - Failed to get init pid\n`,
    );
    return 1;
  }
  const env = new Map(
    clear
      ? [
          ['container', 'lxc'],
          ['TERM', 'linux'],
          ['PATH', PATH],
        ]
      : [...start.env, ['PATH', '/sbin:/bin:/usr/sbin:/usr/bin']],
  );
  for (const [name, value] of variables) env.set(name, value);
  const program = argv.length > 0 ? argv : ['/bin/bash'];
  const child = node.table.spawn({ parent: start.process, comm: 'lxc-attach', argv: start.argv, env, vmid });
  // It holds the streams of the channel even when lxc-attach itself is dead.
  const release = [start.streams.stdout.hold(), start.streams.stderr.hold()];
  const entered = enter().finally(() => {
    child.end();
    for (const each of release) each();
  });
  return untilDeath(start.process, untilDeath(child, entered));

  async function enter(): Promise<number> {
    await node.table.unfrozen(vmid);
    if (!child.alive || !guest) return 137;
    const [path = ''] = program;
    if (
      path.startsWith('/') ? !guest.files.exists(path) && !inPath(path) : guest.scenario.flavour === 'none'
    ) {
      await stderr.write(
        `lxc-attach: ${vmid}: ../src/lxc/attach.c: lxc_attach_run_command: 1841 No such file or directory - Failed to exec "${path}"\n`,
      );
      return 127;
    }
    return execute({ ...start, machine: guest, process: child, argv: program, env, cwd: '/', uid: 0 });
  }

  /** Programs that are modelled without being files. */
  function inPath(path: string): boolean {
    return !/\/(ba)?sh$/.test(path) && guest?.scenario.flavour !== 'none';
  }
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function parseAttach(args: readonly string[]) {
  const variables: [string, string][] = [];
  let vmid = Number.NaN;
  let clear = false;
  let index = 0;
  for (; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') {
      index += 1;
      break;
    }
    if (arg === '-n' || arg === '--name') vmid = Number(args[++index]);
    else if (arg === '--clear-env') clear = true;
    else if (arg === '-v' || arg === '--set-var') {
      const [, name = '', value = ''] = /^([^=]*)=([\s\S]*)$/.exec(args[++index] ?? '') ?? [];
      variables.push([name, value]);
    } else if (!arg.startsWith('-') && Number.isNaN(vmid)) vmid = Number(arg);
    else if (!arg.startsWith('-')) break;
  }
  return { vmid, clear, variables, argv: args.slice(index) };
}

function nameIn(args: readonly string[]): number {
  const at = args.findIndex((arg) => arg === '-n' || arg === '--name');
  return Number(at >= 0 ? args[at + 1] : args.find((arg) => /^\d+$/.test(arg)));
}

async function info(
  node: SimulatedNode,
  args: readonly string[],
  stdout: Sink,
  stderr: Sink,
): Promise<number> {
  const vmid = nameIn(args);
  const guest = node.guests.get(vmid);
  if (!guest) {
    await stderr.write(`${vmid} doesn't exist\n`);
    return 1;
  }
  const state = !guest.running ? 'STOPPED' : guest.frozen ? 'FROZEN' : 'RUNNING';
  const bare = args.includes('-H');
  const wantsState = args.includes('-s');
  const wantsPid = args.includes('-p');
  if (!wantsState && !wantsPid) await stdout.write(`Name:           ${vmid}\n`);
  if (wantsState || !wantsPid) await stdout.write(bare ? `${state}\n` : `State:          ${state}\n`);
  if (guest.running && (wantsPid || !wantsState)) {
    await stdout.write(bare ? `${guest.initPid}\n` : `PID:            ${guest.initPid}\n`);
  }
  return 0;
}

async function stop(node: SimulatedNode, args: readonly string[], stderr: Sink): Promise<number> {
  const guest = node.runningGuest(nameIn(args));
  if (!guest) {
    await stderr.write(`${nameIn(args)} is not running\n`);
    return 2;
  }
  guest.halt();
  return 0;
}

function freeze(node: SimulatedNode, args: readonly string[], on: boolean): number {
  const guest = node.runningGuest(nameIn(args));
  if (!guest) return 1;
  if (on) node.table.freeze(guest.vmid);
  else node.table.thaw(guest.vmid);
  return 0;
}
