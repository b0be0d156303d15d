import type { SimulatedNode } from './node/node.ts';
import { executeLine } from './roles/execute.ts';
import { untilDeath } from './roles/start.ts';
import type { Streams } from './shell/streams.ts';

/** A command line as sshd hands it to the login shell of a user. @returns the exit code */
export async function login(
  node: SimulatedNode,
  user: string,
  line: string,
  streams: Streams,
): Promise<number> {
  const home = user === 'root' ? '/root' : `/home/${user}`;
  const env = new Map([
    ['USER', user],
    ['LOGNAME', user],
    ['HOME', home],
    ['SHELL', '/bin/bash'],
    ['PATH', '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'],
    ['SSH_CONNECTION', '127.0.0.1 50000 127.0.0.1 22'],
  ]);
  const argv = ['bash', '-c', line];
  const process = node.table.spawn({ parent: undefined, comm: 'bash', argv, env, vmid: null, setsid: true });
  const cwd = node.files.exists(home) ? home : '/';
  const start = { machine: node, process, argv, env, cwd, uid: node.uidOf(user), streams };
  const code = await untilDeath(process, executeLine(start, line, node.directs));
  process.end();
  return code;
}
