import { CT } from '../rig/rig.ts';
import { type Bench, callTool } from './bench.ts';
import { atMost, type Row, takeTurns, timed } from './measure.ts';

const EXEC_ROUNDS = 101;
const BURST = 64;
const BURST_ROUNDS = 9;
/** Enough for the burst, as sshd grants ten sessions a connection. */
const MASTERS = Math.ceil(BURST / 10);

/** The shortest command there is, in a container. */
export async function exec(bench: Bench): Promise<Row[]> {
  const [server, openSsh] = await Promise.all([bench.server(), bench.openSsh()]);
  const ours = () => callTool(server, 'container_exec_command', { vmid: CT.debian, command: 'true' });
  const floor = () => openSsh.run(`lxc-attach -n ${CT.debian} -- true`);
  await Promise.all([ours(), floor()]);
  const [a, b] = await takeTurns(EXEC_ROUNDS, [() => timed(ours), () => timed(floor)]);
  return [{ measure: "exec 'true' in a container", unit: 'ms', ours: a, floor: b, limit: atMost(0.8) }];
}

/** The same 64 times at once, where OpenSSH needs seven connections. */
export async function burst(bench: Bench): Promise<Row[]> {
  const server = await bench.server();
  const masters = await Promise.all(Array.from({ length: MASTERS }, () => bench.openSsh()));
  const calls = Array.from({ length: BURST }, (_, index) => index);
  const ours = () =>
    Promise.all(
      calls.map(() => callTool(server, 'container_exec_command', { vmid: CT.debian, command: 'true' })),
    );
  const floor = () =>
    Promise.all(calls.map((index) => masters[index % MASTERS]?.run(`lxc-attach -n ${CT.debian} -- true`)));
  // Not warmed up by a burst: what is opened for the first one is a part of what is measured.
  await callTool(server, 'container_exec_command', { vmid: CT.debian, command: 'true' });
  const first = await timed(ours);
  const [a, b] = await takeTurns(BURST_ROUNDS, [() => timed(ours), () => timed(floor)]);
  const measure = `${BURST} × exec 'true' at once`;
  return [
    { measure, unit: 'ms', ours: a, floor: b, limit: atMost(2) },
    { measure: `${measure}, the first time`, unit: 'ms', ours: first, floor: b, limit: null },
  ];
}
