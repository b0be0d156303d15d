import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Rig } from '../rig/rig.ts';
import { must, type Outcome, run } from '../rig/run.ts';
import { until } from '../rig/until.ts';

/** Longer than any run takes, in ms. A client that does not end must be an error, not a bench that stands still. */
const RUN_LIMIT_MS = 120_000;

/**
 * The floor: OpenSSH's client over a connection that is kept open (ControlMaster). Each run starts one client process, as a
 * script that uses ssh does.
 */
export class OpenSsh {
  readonly #options: readonly string[];
  readonly #stop: () => Promise<void>;

  private constructor(options: readonly string[], stop: () => Promise<void>) {
    this.#options = options;
    this.#stop = stop;
  }

  static async connect(rig: Rig): Promise<OpenSsh> {
    // Not below the state directory of the rig: the path of a socket is limited to 107 bytes.
    const dir = mkdtempSync(join(tmpdir(), 'bench-'));
    const options = ['-F', rig.info.paths.sshConfig, '-o', `ControlPath=${join(dir, 'control')}`];
    const master = spawn('ssh', [...options, '-M', '-N', 'rig'], { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = once(master, 'exit');
    const kill = () => {
      master.kill();
      rmSync(dir, { recursive: true, force: true });
    };
    process.once('exit', kill);
    await until(async () => (await run(['ssh', ...options, '-O', 'check', 'rig'])).code === 0, 10_000);
    return new OpenSsh(options, async () => {
      process.off('exit', kill);
      kill();
      await ended;
    });
  }

  /** Runs a command line on the node, which must succeed, and returns its output. */
  async run(command: string): Promise<string> {
    return (await this.#must(['ssh', ...this.#options, 'rig', command])).stdout;
  }

  async copyToNode(local: string, remote: string): Promise<void> {
    await this.#must(['scp', '-q', ...this.#options, local, `rig:${remote}`]);
  }

  async copyFromNode(remote: string, local: string): Promise<void> {
    await this.#must(['scp', '-q', ...this.#options, `rig:${remote}`, local]);
  }

  close(): Promise<void> {
    return this.#stop();
  }

  #must(argv: readonly [string, ...string[]]): Promise<Outcome> {
    return must(argv, { timeoutMs: RUN_LIMIT_MS });
  }
}
