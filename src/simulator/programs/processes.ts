import type { Process } from '../processes/process-table.ts';
import { parseSignal, SIGNALS } from '../processes/signals.ts';
import type { Program, ProgramCall } from '../shell/machine.ts';

/** Programs that look at processes and end them. */
export const processPrograms: readonly (readonly [string, Program])[] = [
  ['kill', kill],
  ['ps', ps],
  ['pgrep', pgrep],
  ['pkill', pkill],
  [
    'killall',
    ({ machine, args }) =>
      signalAll(machine.table.list(machine.vmid).filter((each) => each.comm === args.at(-1))),
  ],
  ['pidof', pidof],
  ['top', ps],
];

/** Those that this machine sees: a node sees the ones of its containers too. */
function visible({ machine }: ProgramCall): Process[] {
  return machine.table.list(machine.vmid === null ? undefined : machine.vmid);
}

async function kill(call: ProgramCall): Promise<number> {
  const { args, machine, process, stdout, stderr } = call;
  let signal = parseSignal('TERM');
  let probe = false;
  const targets: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    const name = arg === '-s' || arg === '-n' ? args[++index] : /^-[A-Za-z0-9]+$/.exec(arg)?.[0].slice(1);
    if (arg === '-l') {
      await stdout.write(`${SIGNALS.join(' ')}\n`);
      return 0;
    }
    if (arg === '--') continue;
    if (name === '0') probe = true;
    else if (name !== undefined && targets.length === 0) signal = parseSignal(name);
    else targets.push(arg);
  }
  if (signal === undefined || targets.length === 0) {
    await stderr.write('kill: usage: kill [-s sigspec | -n signum | -sigspec] pid\n');
    return 2;
  }
  let code = 0;
  for (const target of targets) {
    const group =
      target === '0' ? process.session : /^-\d+$/.test(target) ? Number(target.slice(1)) : undefined;
    const found =
      group === undefined
        ? visible(call).filter(({ pid }) => pid === Number(target))
        : machine.table.list(machine.vmid).filter(({ session }) => session === group);
    if (found.length === 0) {
      await stderr.write(`kill: (${target}) - No such process\n`);
      code = 1;
    }
    if (!probe) for (const each of found) each.signal(signal);
  }
  return code;
}

async function ps(call: ProgramCall): Promise<number> {
  const { stdout } = call;
  const now = Date.now();
  await stdout.write('    PID TTY          TIME CMD\n'.replace('TTY          TIME', 'PPID S  ELAPSED'));
  for (const each of visible(call)) {
    const elapsed = new Date(now - each.startedAt.getTime()).toISOString().slice(11, 19);
    const columns = [each.pid, each.parentPid].map((pid) => String(pid).padStart(7)).join('');
    await stdout.write(`${columns} ${each.state} ${elapsed} ${each.cmdline || `[${each.comm}]`}\n`);
  }
  return 0;
}

function matching(call: ProgramCall): Process[] {
  const full = call.args.some((arg) => /^-[a-z]*f/.test(arg));
  const pattern = new RegExp(call.args.filter((arg) => !arg.startsWith('-')).at(-1) ?? '^$');
  return visible(call).filter(
    (each) => each.pid !== call.process.pid && pattern.test(full ? each.cmdline : each.comm),
  );
}

async function pgrep(call: ProgramCall): Promise<number> {
  const found = matching(call);
  for (const { pid, cmdline } of found) {
    await call.stdout.write(
      call.args.some((arg) => /^-[a-z]*a/.test(arg)) ? `${pid} ${cmdline}\n` : `${pid}\n`,
    );
  }
  return found.length > 0 ? 0 : 1;
}

function pkill(call: ProgramCall): number {
  const name = call.args.map((arg) => /^-([A-Z0-9]+)$/.exec(arg)?.[1]).find((each) => each !== undefined);
  return signalAll(matching(call), name);
}

function signalAll(found: readonly Process[], name = 'TERM'): number {
  for (const each of found) each.signal(parseSignal(name) ?? 'TERM');
  return found.length > 0 ? 0 : 1;
}

async function pidof({ machine, args, stdout }: ProgramCall): Promise<number> {
  const found = machine.table.list(machine.vmid).filter((each) => each.comm === args.at(-1));
  if (found.length > 0) await stdout.write(`${found.map(({ pid }) => pid).join(' ')}\n`);
  return found.length > 0 ? 0 : 1;
}
