import { toBytes } from './kernel/bytes.ts';
import { drive, execute } from './kernel/execute-file.ts';
import type { FdTable } from './kernel/open-file.ts';
import type { Process } from './kernel/process.ts';
import type { SimulatedNode } from './node/node.ts';

/** Starts the login shell of a user with a command line, as sshd does it. */
export function login(node: SimulatedNode, user: string, line: string, fds: FdTable): Process {
  const home = user === 'root' ? '/root' : `/home/${user}`;
  const sbin = user === 'root' ? '/usr/local/sbin:' : '';
  const env = new Map([
    ['USER', user],
    ['LOGNAME', user],
    ['HOME', home],
    ['SHELL', '/bin/bash'],
    ['PATH', `${sbin}/usr/local/bin:/usr/bin:/bin${user === 'root' ? ':/usr/sbin:/sbin' : ''}`],
    ['LANG', 'C.UTF-8'],
    ['SSH_CLIENT', '127.0.0.1 50000 22'],
    ['SSH_CONNECTION', '127.0.0.1 50000 127.0.0.1 22'],
  ]);
  const argv = ['bash', '-c', toBytes(line)];
  const process = node.table.spawn({
    parent: undefined,
    machine: node,
    argv,
    env,
    fds,
    uid: node.uidOf(user),
    cwd: node.files.exists(home) ? home : '/',
    setsid: true,
  });
  void drive(process, () => execute(process, '/bin/bash', argv, env));
  return process;
}
