import { FileError } from '../files/inode.ts';
import { fromBytes } from '../kernel/bytes.ts';
import { drive, execute, searchPath } from '../kernel/execute-file.ts';
import type { Process } from '../kernel/process.ts';
import type { Call, Program } from '../programs/program.ts';
import type { SimulatedNode } from './node.ts';

/** LXC's own commands, which ignore Proxmox's locks and configuration. */
export function lxcPrograms(node: SimulatedNode): readonly (readonly [string, Program])[] {
  const programs: readonly (readonly [string, Program])[] = [
    ['lxc-attach', (call) => attach(node, call)],
    ['lxc-info', (call) => info(node, call)],
    [
      'lxc-ls',
      async (call) => {
        await call.print(`${[...node.guests.keys()].join(' ')}\n`);
        return 0;
      },
    ],
    ['lxc-stop', (call) => stop(node, call)],
    ['lxc-freeze', ({ args }) => freeze(node, args, true)],
    ['lxc-unfreeze', ({ args }) => freeze(node, args, false)],
  ];
  return programs.map(([name, program]) => [
    name,
    async (call) => {
      if (call.args.join() !== '--version') return program(call);
      await call.print('6.0.5\n');
      return 0;
    },
  ]);
}

/** Runs a program in a container, as a child whose parent is not visible in the container. */
async function attach(node: SimulatedNode, call: Call): Promise<number> {
  const { vmid, clear, variables, argv } = parseAttach(call.args);
  const guest = node.runningGuest(vmid);
  if (call.process.uid !== 0) {
    await call.warn(
      `lxc-attach: ${vmid}: ../src/lxc/tools/lxc_attach.c: main: 387 You lack access to /var/lib/lxc\n`,
    );
    return 1;
  }
  if (!guest) {
    await call.warn(
      `lxc-attach: ${vmid}: ../src/lxc/attach.c: get_attach_context: 406 Connection refused - Failed to get init pid\n`,
    );
    return 1;
  }
  const kept = clear
    ? new Map([
        ['container', 'lxc'],
        ['TERM', 'linux'],
      ])
    : call.process.env;
  const env = new Map([...kept, ['PATH', clear ? PATH : '/sbin:/bin:/usr/sbin:/usr/bin'], ...variables]);
  const program = argv.length > 0 ? argv : ['/bin/bash'];
  const { cwd } = call.process;
  const child = node.table.spawn({
    parent: call.process,
    machine: guest,
    env,
    uid: 0,
    // The caller's directory, if the container has a directory of that name.
    cwd: guest.files.find(cwd)?.kind === 'directory' ? cwd : '/',
  });
  void drive(child, (inner) => enter(inner, vmid, program));
  return call.wait(child);
}

async function enter(process: Process, vmid: number, argv: readonly string[]): Promise<number> {
  await process.ready();
  const [name = ''] = argv;
  try {
    const path = await searchPath(process, name, process.env.get('PATH') ?? '');
    return await execute(process, path, argv, process.env);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const text = `lxc-attach: ${vmid}: ../src/lxc/attach.c: lxc_attach_run_command: 1841 ${error.text} - Failed to exec "${fromBytes(name)}"\n`;
    await process.fds.find(2)?.write(process, Buffer.from(text));
    return error.code === 'ENOENT' ? 127 : 126;
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

async function info(node: SimulatedNode, call: Call): Promise<number> {
  const { args } = call;
  const vmid = nameIn(args);
  const guest = node.guests.get(vmid);
  if (!guest) {
    await call.warn(`${vmid} doesn't exist\n`);
    return 1;
  }
  const state = !guest.running ? 'STOPPED' : guest.frozen ? 'FROZEN' : 'RUNNING';
  const wantsState = args.some((arg) => /^-[a-zH]*s/.test(arg));
  const wantsPid = args.some((arg) => /^-[a-zH]*p/.test(arg));
  // LXC also prints the names of the values if more than one is requested.
  const bare = args.some((arg) => /^-[a-z]*H/.test(arg)) && wantsState !== wantsPid;
  if (!wantsState && !wantsPid) await call.print(`Name:           ${vmid}\n`);
  if (wantsState || !wantsPid) await call.print(bare ? `${state}\n` : `State:          ${state}\n`);
  if (guest.running && (wantsPid || !wantsState)) {
    await call.print(bare ? `${guest.initPid}\n` : `PID:            ${guest.initPid}\n`);
  }
  return 0;
}

async function stop(node: SimulatedNode, call: Call): Promise<number> {
  const guest = node.runningGuest(nameIn(call.args));
  if (!guest) {
    await call.warn(`${nameIn(call.args)} is not running\n`);
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
