import { readFileSync } from 'node:fs';
import { CT } from '../rig/rig.ts';
import { type Bench, callTool } from './bench.ts';
import { atMost, type Row } from './measure.ts';

const SIZE = 1024 ** 3;

/** What the server needs while a gigabyte of output streams by, of which it keeps a head and a tail. */
export async function memory(bench: Bench): Promise<Row[]> {
  const server = await bench.server();
  const command = `head -c ${SIZE} /dev/zero | tr '\\0' x`;
  const data = await callTool(server, 'container_exec_command', { vmid: CT.debian, command, timeout: 300 });
  if (data.stdout_original_length !== SIZE) throw new Error('not all of the output has been counted');
  const peak = peakBytes(server.pid) / 1e6;
  return [
    { measure: 'peak memory, 1 GiB of output', unit: 'MB', ours: peak, floor: null, limit: atMost(150) },
  ];
}

/** The most that was ever resident: the kernel keeps count. */
function peakBytes(pid: number): number {
  const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kibibytes === undefined) throw new Error(`the kernel does not tell the peak memory of ${pid}`);
  return Number(kibibytes) * 1024;
}
