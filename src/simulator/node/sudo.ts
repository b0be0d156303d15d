import { executeOrTell, fork } from '../kernel/execute-file.ts';
import { parseOptions } from '../programs/options.ts';
import type { Program } from '../programs/program.ts';
import type { SimulatedNode } from './node.ts';

/** The rules are in the users of the scenario. */
function allows(node: SimulatedNode, uid: number, program: string): boolean {
  if (uid === 0) return true;
  const rules = node.cluster.scenario.users[node.userName(uid)]?.sudo ?? [];
  return rules === 'all' || rules.includes(program.slice(program.lastIndexOf('/') + 1));
}

/** Runs a program as root if the rules allow it; never asks for a password. */
export function sudo(node: SimulatedNode): Program {
  return async (call) => {
    const { rest } = parseOptions(call.args, 'nEHSku:g:', { posix: true });
    if (!allows(node, call.process.uid, rest[0] ?? '')) {
      await call.warn('sudo: a password is required\n');
      return 1;
    }
    const env = rootEnv();
    return call.wait(fork(call.process, (child) => executeOrTell(child, rest, env, 'sudo'), { uid: 0, env }));
  };
}

/** sudo keeps only a few variables of the caller's environment. */
function rootEnv(): Map<string, string> {
  return new Map([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOME', '/root'],
    ['USER', 'root'],
    ['LOGNAME', 'root'],
  ]);
}
