import { readFileSync } from 'node:fs';
import { CT } from '../rig/rig.ts';
import { run } from '../rig/run.ts';
import { type Bench, callTool } from './bench.ts';
import { atMost, type Row, takeTurns, timed } from './measure.ts';

const SIZE = 1e9;
const ROUNDS = 3;
const FLOOD = `head -c ${SIZE} /dev/zero | tr '\\0' x`;

/** A gigabyte of output, of which the server keeps head and tail: the time compared with ssh, and the memory. */
export async function memory(bench: Bench): Promise<Row[]> {
  const server = await bench.server();
  const ours = async () => {
    const args = { vmid: CT.debian, command: FLOOD, timeout: 300 };
    const data = await callTool(server, 'container_exec_command', args);
    if (data.stdout_original_length !== SIZE) throw new Error('not all of the output has been counted');
  };
  const attach = `lxc-attach -n ${CT.debian} -- sh -c "${FLOOD.replace("'\\0'", "'\\\\0'")}"`;
  const floor = async () => {
    const [program, ...args] = bench.rig.sshArgv();
    const { code } = await run(['sh', '-c', '"$@" | wc -c >/dev/null', 'sh', program, ...args, attach]);
    if (code !== 0) throw new Error('ssh failed');
  };
  const [a, b] = await takeTurns(ROUNDS, [() => timed(ours), () => timed(floor)]);
  const peak = peakBytes(server.pid) / 1e6;
  return [
    { measure: '1 GB of output', unit: 'ms', ours: a, floor: b, limit: atMost(0.95) },
    { measure: 'peak memory, 1 GB of output', unit: 'MB', ours: peak, floor: null, limit: atMost(110) },
  ];
}

/** The peak of resident memory, which the kernel records. */
function peakBytes(pid: number): number {
  const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kibibytes === undefined) throw new Error(`the kernel does not tell the peak memory of ${pid}`);
  return Number(kibibytes) * 1024;
}
