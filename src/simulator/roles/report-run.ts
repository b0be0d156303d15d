import { Shell } from '../shell/shell.ts';
import { type Start, untilDeath } from './start.ts';

/**
 * A parent shell that outlives the command and reports its end on both streams: "NONCE start", then, after all that the
 * command wrote, "NONCE exit CODE".
 */
export async function reportRun(start: Start, args: readonly string[]): Promise<number> {
  const [nonce = '', command = ''] = args;
  const { machine, process, env, uid, streams } = start;
  // It takes these signals, so that it can report that they ended the command.
  process.onSignal = (signal) => signal === 'HUP' || signal === 'INT' || signal === 'TERM';
  return untilDeath(process, run());

  async function run(): Promise<number> {
    await streams.stdout.write(`${nonce} start\n`);
    const name = machine.files.exists('/bin/bash') ? 'bash' : 'sh';
    const child = machine.table.spawn({ parent: process, comm: name, argv: [name, '-c', command], env });
    const release = [streams.stdout.hold(), streams.stderr.hold()];
    const home = env.get('HOME') ?? '/';
    const cwd = machine.files.find(home)?.kind === 'directory' ? home : '/';
    const shell = new Shell({ ...streams, machine, process: child, env, cwd, uid, stdin: Buffer.alloc(0) });
    const code = await shell.run(command);
    child.end();
    await machine.table.unfrozen(machine.vmid);
    if (process.alive) {
      await streams.stdout.write(`${nonce} exit ${code}\n`);
      await streams.stderr.write(`${nonce} exit ${code}\n`);
    }
    for (const each of release) each();
    return 0;
  }
}
