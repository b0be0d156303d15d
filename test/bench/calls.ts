import { setTimeout as sleep } from 'node:timers/promises';
import type { TestClient } from '../mcp/client.ts';
import { CT } from '../rig/rig.ts';
import { type Bench, callTool } from './bench.ts';
import { atMost, median, type Row, takeTurns, timed } from './measure.ts';

const APART_ROUNDS = 20;
const SERIES = 40;
const SERIES_ROUNDS = 5;
const AT_ONCE = 64;
const AT_ONCE_ROUNDS = 9;

const ATTACH = `lxc-attach -n ${CT.debian} -- true`;
const runTrue = (server: TestClient) =>
  callTool(server, 'container_exec_command', { vmid: CT.debian, command: 'true' });

/** The shortest command, in a container: calls with a second between them, and forty calls in sequence. */
export async function exec(bench: Bench): Promise<Row[]> {
  const [server, openSsh] = await Promise.all([bench.server(), bench.openSsh()]);
  const ours = () => runTrue(server);
  const floor = () => openSsh.run(ATTACH);
  await Promise.all([ours(), floor()]);
  const apart = (work: () => Promise<unknown>) => async () => {
    await sleep(1_000);
    return timed(work);
  };
  const [a, b] = await takeTurns(APART_ROUNDS, [apart(ours), apart(floor)]);
  // Like a session with an assistant: between the commands there are list and status calls, which are not measured.
  const series = (work: () => Promise<unknown>, between: (index: number) => Promise<unknown>) => async () => {
    const times: number[] = [];
    for (let index = 0; index < SERIES; index++) {
      times.push(await timed(work));
      await between(index);
    }
    return median(times);
  };
  const look = async (index: number) => {
    if (index % 8 === 3) await callTool(server, 'list_containers', {});
    if (index % 8 === 7) await callTool(server, 'container_status', { vmid: CT.debian });
  };
  const [c, d] = await takeTurns(SERIES_ROUNDS, [series(ours, look), series(floor, async () => {})]);
  return [
    { measure: "exec 'true', a second apart", unit: 'ms', ours: a, floor: b, limit: atMost(0.9) },
    { measure: `exec 'true', ${SERIES} in a row`, unit: 'ms', ours: c, floor: d, limit: atMost(0.85) },
  ];
}

/** The same command 64 times at once, compared with as many runs of OpenSSH in sequence. */
export async function burst(bench: Bench): Promise<Row[]> {
  const [server, openSsh] = await Promise.all([bench.server(), bench.openSsh()]);
  const calls = Array.from({ length: AT_ONCE }, (_, index) => index);
  const ours = () => Promise.all(calls.map(() => runTrue(server)));
  const floor = async () => {
    for (const _ of calls) await openSsh.run(ATTACH);
  };
  // Not warmed up by a burst: opening sessions for the first one is part of the measurement.
  await runTrue(server);
  const first = await timed(ours);
  const [a, b] = await takeTurns(AT_ONCE_ROUNDS, [() => timed(ours), () => timed(floor)]);
  const measure = `${AT_ONCE} × exec 'true' at once`;
  return [
    { measure, unit: 'ms', ours: a, floor: b, limit: atMost(0.5) },
    { measure: `${measure}, the first time`, unit: 'ms', ours: first, floor: b, limit: null },
  ];
}
