import { withoutOptions } from '../programs/launchers.ts';
import { type Direct, execute } from '../roles/execute.ts';
import type { Program } from '../shell/machine.ts';
import type { SimulatedNode } from './node.ts';

/** The rules are those of the scenario's users. */
function allows(node: SimulatedNode, uid: number, program: string): boolean {
  if (uid === 0) return true;
  const rules = node.cluster.scenario.users[node.userName(uid)]?.sudo ?? [];
  return rules === 'all' || rules.includes(program.slice(program.lastIndexOf('/') + 1));
}

const REFUSAL = 'sudo: a password is required\n';

export function sudoDirect(node: SimulatedNode): Direct {
  return async (start) => {
    const argv = withoutOptions(start.argv.slice(1), /^-[ug]$/);
    if (!allows(node, start.uid, argv[0] ?? '')) {
      await start.streams.stderr.write(REFUSAL);
      return 1;
    }
    const child = node.table.spawn({ parent: start.process, comm: argv[0] ?? '', argv, env: rootEnv() });
    const code = await execute({ ...start, process: child, argv, env: rootEnv(), uid: 0 }, node.directs);
    child.end();
    return code;
  };
}

export function sudoProgram(node: SimulatedNode): Program {
  return async (call) => {
    const argv = withoutOptions(call.args, /^-[ug]$/);
    if (allows(node, call.uid, argv[0] ?? '')) return call.spawn(argv, { env: rootEnv(), uid: 0 });
    await call.stderr.write(REFUSAL);
    return 1;
  };
}

/** sudo keeps little of the caller's environment. */
function rootEnv(): Map<string, string> {
  return new Map([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOME', '/root'],
    ['USER', 'root'],
    ['LOGNAME', 'root'],
  ]);
}
