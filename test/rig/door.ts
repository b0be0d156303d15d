import { join } from 'node:path';
import type { RigInfo } from './info.ts';
import { type Process, processesSharing, startTime } from './processes.ts';
import { must, type Outcome, type RunOptions, run, runRaw } from './run.ts';

/** Access to the programs, files and processes of the node and its containers, without ssh and without the code under test. */
export class Door {
  readonly info: RigInfo;
  /** The inits of containers, because tests that wait for a process ask for them many times a second. */
  readonly #inits = new Map<number, { readonly pid: number; readonly started: string | undefined }>();

  constructor(info: RigInfo) {
    this.info = info;
  }

  protected nodeArgv(argv: readonly string[]): [string, ...string[]] {
    return ['nsenter', '--target', String(this.info.holderPid), '--mount', '--uts', '--', ...argv];
  }

  /** Runs a program as root in the node. */
  inNode(argv: readonly string[], options?: RunOptions): Promise<Outcome> {
    return run(this.nodeArgv(argv), options);
  }

  /** Runs a program as root in a container, with a clean environment. */
  inContainer(vmid: number, argv: readonly string[], options?: RunOptions): Promise<Outcome> {
    return this.inNode(['lxc-attach', '-n', String(vmid), '--clear-env', '--', ...argv], options);
  }

  protected mustInNode(...argv: string[]): Promise<Outcome> {
    return must(this.nodeArgv(argv));
  }

  // --- files ------------------------------------------------------------------------------------------------

  /** Content of a file in the container; rejects if it cannot be read. */
  readInContainer(vmid: number, path: string): Promise<Buffer> {
    return this.read(['lxc-attach', '-n', String(vmid), '--', 'cat', path]);
  }

  /** Content of a file on the node; rejects if it cannot be read. */
  readInNode(path: string): Promise<Buffer> {
    return this.read(['cat', path]);
  }

  private async read(argv: readonly string[]): Promise<Buffer> {
    const { code, stdout, stderr } = await runRaw(this.nodeArgv(argv));
    if (code !== 0) {
      throw new Error(stderr.toString('utf8').trim());
    }
    return stdout;
  }

  async writeInContainer(vmid: number, path: string, content: string | Uint8Array): Promise<void> {
    const argv = ['lxc-attach', '-n', String(vmid), '--', 'sh', '-c', 'cat > "$1"', 'sh', path];
    await must(this.nodeArgv(argv), { stdin: content });
  }

  async writeInNode(path: string, content: string | Uint8Array): Promise<void> {
    await must(this.nodeArgv(['sh', '-c', 'cat > "$1"', 'sh', path]), { stdin: content });
  }

  /**
   * The root directory of a running container as a path on this machine, including the container's mounts. Absolute symlinks in
   * it lead to this machine.
   */
  async rootfs(vmid: number): Promise<string> {
    return `/proc/${await this.initPid(vmid)}/root`;
  }

  /** The root file system of a container on disk, whether it runs or not; without the container's mounts. */
  rootfsOnDisk(vmid: number): string {
    return join(this.info.paths.lxc, String(vmid), 'rootfs');
  }

  // --- processes --------------------------------------------------------------------------------------------

  /** PID of the container's init on this machine. */
  async initPid(vmid: number): Promise<number> {
    const known = this.#inits.get(vmid);
    if (known?.started !== undefined && startTime(known.pid) === known.started) return known.pid;
    const { stdout } = await this.mustInNode('lxc-info', '-n', String(vmid), '-p', '-H');
    const pid = Number(stdout.trim());
    if (!Number.isInteger(pid) || pid <= 0) {
      throw new Error(`container ${vmid} does not run`);
    }
    this.#inits.set(vmid, { pid, started: startTime(pid) });
    return pid;
  }

  /** All processes of a running container, including its init and the sleep that init waits for. */
  async containerPids(vmid: number): Promise<Process[]> {
    return processesSharing(await this.initPid(vmid), 'pid');
  }

  /** The processes of a container whose arguments contain the text; zombies have none. */
  async containerProcesses(vmid: number, text: string): Promise<Process[]> {
    return (await this.containerPids(vmid)).filter(({ cmdline }) => cmdline.includes(text));
  }

  /**
   * All processes in the node itself: sshd, its sessions, and what they run, including lxc-attach until it has entered the
   * container.
   */
  nodePids(): Process[] {
    return processesSharing(this.info.holderPid, 'mnt');
  }
}
