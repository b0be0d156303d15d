import { setTimeout as delay } from 'node:timers/promises';
import type { Process } from '../processes/process-table.ts';
import { type Start, untilDeath } from './start.ts';

const LOOK_MS = 50;

/**
 * Ends all processes of one run and says what is left. $1 is NAME=VALUE of the mark, $2 the timer slack, $3 and $4 how
 * many looks TERM and KILL are given. Says "found N", "left PID NAME" for each survivor, "done".
 */
export function sweep(start: Start, args: readonly string[]): Promise<number> {
  const [mark = '', slack = '0', soft = '0', hard = '0'] = args;
  const { machine, process, streams } = start;
  const say = (line: string) => streams.stdout.write(`${line}\n`);
  const look = () =>
    belonging(
      machine.table.list(machine.vmid ?? undefined).filter((each) => each.pid !== process.pid),
      mark,
      Number(slack),
    );
  return untilDeath(process, run());

  async function run(): Promise<number> {
    let live = look();
    await say(`found ${live.length}`);
    const told = new Set<number>();
    for (let i = 0; live.length > 0 && i < Number(soft); i += 1) {
      for (const each of live) {
        if (told.has(each.pid)) continue;
        told.add(each.pid);
        each.signal('TERM');
        each.signal('CONT');
      }
      await delay(LOOK_MS);
      live = look();
    }
    for (let i = 0, clean = 0; i < Number(hard); i += 1) {
      clean = live.length === 0 ? clean + 1 : 0;
      if (clean === 2) break;
      for (const each of live) each.signal('KILL');
      await delay(LOOK_MS);
      live = look();
    }
    for (const { pid, comm } of live) await say(`left ${pid} ${comm}`);
    await say('done');
    return 0;
  }
}

/** Those that carry the mark; their descendants and sessions; and those with the run's timer slack that are not older. */
function belonging(all: readonly Process[], mark: string, slack: number): Process[] {
  const [name = '', value = ''] = mark.split('=');
  const found = new Set(all.filter(({ env }) => env.get(name) === value));
  const born = Math.min(...[...found].map(({ startedAt }) => startedAt.getTime()));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    const pids = new Set([...found].map(({ pid }) => pid));
    const sessions = new Set([...found].map(({ session }) => session));
    for (const each of all) {
      const sameSlack = each.slackNs === slack && each.startedAt.getTime() >= born;
      if (pids.has(each.parentPid) || sessions.has(each.session) || sameSlack) found.add(each);
    }
  }
  return [...found];
}
