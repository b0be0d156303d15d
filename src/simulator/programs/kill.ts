import type { Process } from '../kernel/process.ts';
import { parseSignal, SIGNALS, type Signal } from '../kernel/signals.ts';
import type { Call } from './program.ts';

/** The processes that this process can see: a node also sees those of its containers. */
export function visibleTo({ machine }: Pick<Process, 'machine'>): Process[] {
  return machine.table.list(machine.vmid === null ? undefined : machine.vmid);
}

/**
 * kill(2) for each target: a process, 0 for the sender's group, a negative number for a group, -1 for all.
 * @returns the targets that could not be signaled, and why
 */
export function sendSignals(
  sender: Process,
  signal: Signal | 0,
  targets: readonly string[],
): { target: string; text: string }[] {
  const faults: { target: string; text: string }[] = [];
  for (const target of targets) {
    if (!/^-?\d+$/.test(target)) {
      faults.push({ target, text: `Illegal number: ${target}` });
      continue;
    }
    const number = Number(target);
    const found = visibleTo(sender).filter((each) =>
      number > 0
        ? each.pid === number
        : number === -1
          ? each.pid !== sender.pid && each.pid !== each.machine.table.initOf(each.vmid)
          : each.group === (number === 0 ? sender.group : -number),
    );
    const allowed = found.filter(({ uid }) => sender.uid === 0 || uid === sender.uid);
    if (found.length === 0) faults.push({ target, text: 'No such process' });
    else if (allowed.length === 0) faults.push({ target, text: 'Operation not permitted' });
    if (signal === 0) continue;
    // The sender comes last, so that it does not die before it has signaled the others.
    for (const each of allowed.sort((a, b) => Number(a === sender) - Number(b === sender)))
      each.signal(signal);
  }
  return faults;
}

/** /bin/kill. */
export async function kill(call: Call): Promise<number> {
  const args = [...call.args];
  let signal: Signal | 0 | undefined = 'TERM';
  if (args[0] === '-l') {
    await call.print(`${SIGNALS.join(' ')}\n`);
    return 0;
  }
  const option = /^-[A-Za-z0-9]/.test(args[0] ?? '') ? args.shift() : undefined;
  const name = option === '-s' || option === '-n' ? args.shift() : option?.slice(1);
  if (name !== undefined) signal = name === '0' ? 0 : parseSignal(name);
  if (args[0] === '--') args.shift();
  if (signal === undefined || args.length === 0) {
    await call.warn('kill: not enough arguments\n');
    return 1;
  }
  const faults = sendSignals(call.process, signal, args);
  for (const { target, text } of faults) await call.warn(`kill: (${target}) - ${text}\n`);
  await call.process.ready();
  return faults.length > 0 ? 1 : 0;
}
