import { Readable } from 'node:stream';
import { type Direct, execute } from '../roles/execute.ts';
import type { Machine } from '../shell/machine.ts';
import { TextSink } from '../shell/streams.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program as root, past SSH, and keeps what it prints. */
export async function runAsRoot(
  machine: Machine,
  argv: readonly string[],
  directs?: ReadonlyMap<string, Direct>,
): Promise<Ran> {
  const env = new Map([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOME', '/root'],
  ]);
  const [stdout, stderr] = [new TextSink(), new TextSink()];
  const process = machine.table.spawn({ parent: undefined, comm: 'sh', argv, env, vmid: machine.vmid });
  const streams = { stdin: Readable.from([]), stdout, stderr };
  const code = await execute({ machine, process, argv, env, cwd: '/', uid: 0, streams }, directs);
  process.end();
  return { code, stdout: stdout.text, stderr: stderr.text };
}
