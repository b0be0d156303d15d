import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CT, initialConf, pveFixture } from './containers.ts';
import { Door } from './door.ts';
import { findRig, type RigInfo, rigDirectory } from './info.ts';
import { holdLock, type Undo } from './lock.ts';
import type { Process } from './processes.ts';
import { must, type Outcome, type RunOptions, run } from './run.ts';
import { until } from './until.ts';

export { CT, holdLock, type Undo };

const RUNNING = [CT.debian, CT.busybox, CT.locked];

/**
 * Inspects and changes the node and its containers directly, without ssh and without the code under test.
 */
export class Rig extends Door {
  // --- state of containers ----------------------------------------------------------------------------------

  isRunning(vmid: number): boolean {
    return readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .some((line) => line.endsWith(`@/var/lib/lxc/${vmid}/command`));
  }

  /** Starts the container, also a locked one, without pct; afterwards it runs and is not frozen. */
  async ensureStarted(vmid: number): Promise<void> {
    if (this.isRunning(vmid) && (await this.#unlessEnding(vmid, 'lxc-unfreeze', '-n', String(vmid)))) return;
    await this.mustInNode('rig-lxc-start', String(vmid));
  }

  async ensureStopped(vmid: number): Promise<void> {
    if (this.isRunning(vmid)) {
      // A frozen process cannot be killed.
      if (!(await this.#unlessEnding(vmid, 'lxc-unfreeze', '-n', String(vmid)))) return;
      if (!(await this.#unlessEnding(vmid, 'lxc-stop', '-n', String(vmid), '--kill'))) return;
      // LXC reports STOPPED before its monitor has closed the command socket.
      await until(() => !this.isRunning(vmid));
    }
  }

  /** Runs a command that a container refuses which is ending. Returns false if that was so; the container is stopped then. */
  async #unlessEnding(vmid: number, ...argv: string[]): Promise<boolean> {
    try {
      await this.mustInNode(...argv);
      return true;
    } catch (error) {
      await until(() => !this.isRunning(vmid), 10_000).catch(() => {
        throw error;
      });
      return false;
    }
  }

  /** Starts CT.stopped with a root that has one static program and no shell, as application containers do. */
  async startWithoutShell(): Promise<Undo> {
    const vmid = String(CT.stopped);
    await this.ensureStopped(CT.stopped);
    const root = `lxc.rootfs.path=dir:/var/lib/lxc/${vmid}/rootfs-shellless`;
    await this.mustInNode('rig-lxc-start', vmid, '-s', root, '-s', 'lxc.init.cmd=/sbin/init');
    return () => this.ensureStopped(CT.stopped);
  }

  async freeze(vmid: number): Promise<Undo> {
    await this.mustInNode('lxc-freeze', '-n', String(vmid));
    return () => this.unfreeze(vmid);
  }

  /** Does nothing if the container is not frozen. */
  async unfreeze(vmid: number): Promise<void> {
    await this.mustInNode('lxc-unfreeze', '-n', String(vmid));
  }

  /** The container ignores shutdown requests from now on. */
  async ignoreShutdown(vmid: number): Promise<Undo> {
    const flag = join(this.rootfsOnDisk(vmid), 'ignore-shutdown');
    writeFileSync(flag, '');
    return async () => rmSync(flag, { force: true });
  }

  /** Holds the lock that pct takes around its operations, as a second operation on the container would. */
  async holdConfigLock(vmid: number): Promise<Undo> {
    const file = `/run/lock/lxc/pve-config-${vmid}.lock`;
    return holdLock(this.nodeArgv(['flock', file, 'sh', '-c', 'echo held; exec cat']));
  }

  /** Keeps a fifo of the node open, so that no process waits for a reader or a writer. */
  async holdOpen(fifo: string): Promise<Undo> {
    return holdLock(this.nodeArgv(['sh', '-c', 'exec 3<>"$1"; echo held; exec cat', 'sh', fifo]));
  }

  // --- /etc/pve ---------------------------------------------------------------------------------------------

  /** Writes a file below the node's /etc/pve, e.g. `.vmlist`; undefined removes it. */
  async setPve(path: string, content: string | undefined): Promise<Undo> {
    const file = join(this.info.paths.pve, path);
    const before = existsSync(file) ? readFileSync(file) : undefined;
    const replace = (text: string | Buffer | undefined) => {
      put(file, text);
      if (path.startsWith('nodes/')) this.countChange();
    };
    replace(content);
    return async () => replace(before);
  }

  /** pmxcfs counts each change of a configuration; these are plain files, where a program's own change must be counted here. */
  countChange(): void {
    const file = join(this.info.paths.pve, '.version');
    const text = readFileSync(file, 'utf8');
    put(
      file,
      text.replace(/"vmlist": (\d+)/, (_, count) => `"vmlist": ${Number(count) + 1}`),
    );
  }

  /** Replaces the configuration of a container of this node; undefined removes it. */
  setConf(vmid: number, text: string | undefined): Promise<Undo> {
    return this.setPve(`nodes/${this.info.node}/lxc/${vmid}.conf`, text);
  }

  /** Adds to each call of pct the 0.65 s that the real one takes to load. */
  slowPct(): Promise<Undo> {
    return this.setPve('.rig-slow-pct', '');
  }

  // --- ssh --------------------------------------------------------------------------------------------------

  /** Arguments of the real ssh client for a login with a key; the command follows. */
  sshArgv(user: keyof RigInfo['users'] = 'root'): [string, ...string[]] {
    return ['ssh', '-F', this.info.paths.sshConfig, user === 'root' ? 'rig' : `rig-${user}`];
  }

  /** Runs a command line on the node through the real ssh client. */
  ssh(command: string, user: keyof RigInfo['users'] = 'root', options?: RunOptions): Promise<Outcome> {
    return run([...this.sshArgv(user), command], options);
  }

  /** PID of the listening sshd; it changes with a restart. */
  sshdPid(): number {
    return Number.parseInt(readFileSync(this.info.paths.sshdPidFile, 'utf8'), 10);
  }

  /**
   * Restarts sshd on the same port with the same keys. Open connections stay open. `options`, e.g. `['-o', 'MaxSessions=3']`,
   * apply until the undo restarts sshd without them.
   */
  async restartSshd(options: readonly string[] = []): Promise<Undo> {
    const restart = async (args: readonly string[]) => {
      const env = { RIG_STATE: this.info.paths.state };
      await must([join(rigDirectory, 'restart-sshd'), ...args], { env });
    };
    await restart(options);
    return () => restart([]);
  }

  /** The processes that serve open connections, one or two for each connection, without the listener. */
  sshConnections(): Process[] {
    const listener = this.sshdPid();
    return this.nodePids().filter(({ pid, comm }) => comm.startsWith('sshd') && pid !== listener);
  }

  /**
   * Sends a signal to the processes of every open connection: KILL closes the connections while their commands continue, STOP
   * makes the peer unresponsive, CONT resumes it. Returns the number of processes.
   */
  signalSshConnections(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): number {
    const connections = this.sshConnections();
    for (const { pid } of connections) {
      try {
        process.kill(pid, signal);
      } catch {
        // Of the two processes of a connection, the second ends with the first.
      }
    }
    return connections.length;
  }

  killSshConnections(): number {
    return this.signalSshConnections('SIGKILL');
  }

  // --- reset ------------------------------------------------------------------------------------------------

  /** Resets containers and configurations to the initial state, also after a failed test. */
  async reset(): Promise<void> {
    rmSync(join(this.info.paths.pve, '.rig-slow-pct'), { force: true });
    for (const vmid of [...RUNNING, CT.stopped]) {
      const conf = `nodes/pve1/lxc/${vmid}.conf`;
      put(join(this.info.paths.pve, conf), initialConf(vmid));
      rmSync(join(this.rootfsOnDisk(vmid), 'ignore-shutdown'), { force: true });
    }
    this.countChange();
    for (const name of ['vmlist', 'members']) {
      put(join(this.info.paths.pve, `.${name}`), pveFixture(name));
    }
    // A fresh start also ends leftover processes and empties the small disks.
    await Promise.all(
      [...RUNNING, CT.stopped].map(async (vmid) => {
        await this.ensureStopped(vmid);
        if (vmid !== CT.stopped) {
          await this.ensureStarted(vmid);
        }
      }),
    );
  }
}

/** The running rig, or undefined; `findRig` returns the reason. */
export function loadRig(): Rig | undefined {
  const found = findRig();
  return 'info' in found ? new Rig(found.info) : undefined;
}

/** As in the cluster file system, only root can access the file. */
function put(file: string, content: string | Uint8Array | undefined): void {
  if (content === undefined) {
    rmSync(file, { force: true });
  } else {
    writeFileSync(file, content, { mode: 0o640 });
    chmodSync(file, 0o640);
  }
}
