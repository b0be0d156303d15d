import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RigClusterInfo, readClusterInfo } from './cluster-info.ts';
import { membersText, publishGuests, publishUsage, replaceFile, type View } from './cluster-members.ts';
import { rigDirectory } from './info.ts';
import type { Undo } from './lock.ts';
import { processesSharing } from './processes.ts';
import { must, type Outcome, type RunOptions, run } from './run.ts';
import { until } from './until.ts';

const HA_ROUND_MS = 1_000;
const ALL: View = { quorate: true, offline: [] };

/**
 * Direct access to the cluster of the rig, without SSH and without the code under test: three real nodes and their failures.
 */
export class RigCluster {
  readonly info: RigClusterInfo;
  readonly #addresses: ReadonlyMap<string, string>;
  /** Configurations as `cluster-up` wrote them, by their path below nodes/. */
  readonly #configs = new Map<string, string>();
  readonly #knownHosts = new Map<string, string>();
  readonly #running: readonly number[];

  /**
   * @param running the containers that run in the initial state
   */
  constructor(state: string, running: readonly number[]) {
    this.info = readClusterInfo(state);
    this.#running = running;
    this.#addresses = new Map(Object.entries(this.info.nodes).map(([name, { address }]) => [name, address]));
  }

  /** Stores the initial state for `reset`; call it directly after `cluster-up`. */
  remember(): void {
    for (const node of this.nodes) {
      for (const name of readdirSync(this.#pve('nodes', node, 'lxc'))) {
        const path = join(node, 'lxc', name);
        this.#configs.set(path, readFileSync(this.#pve('nodes', path), 'utf8'));
      }
      this.#knownHosts.set(node, readFileSync(this.#pve('nodes', node, 'ssh_known_hosts'), 'utf8'));
    }
  }

  get nodes(): readonly string[] {
    return [...this.#addresses.keys()];
  }

  addressOf(node: string): string {
    return this.#node(node).address;
  }

  get keyPath(): string {
    return join(this.info.state, 'keys', 'plain');
  }

  /** Lines of a known_hosts file with the keys of one node. */
  knownHosts(node: string): string {
    const lines = readFileSync(join(this.info.state, 'known_hosts'), 'utf8').split('\n');
    return lines.filter((line) => line.startsWith(`[${this.addressOf(node)}]:`)).join('\n');
  }

  // --- looking and changing ---------------------------------------------------------------------------------

  inNode(node: string, argv: readonly string[], options?: RunOptions): Promise<Outcome> {
    return run(this.#argv(node, argv), options);
  }

  async inContainer(vmid: number, argv: readonly string[]): Promise<Outcome> {
    return this.inNode(this.#runsOn(vmid), ['lxc-attach', '-n', String(vmid), '--clear-env', '--', ...argv]);
  }

  isRunning(vmid: number): boolean {
    return this.nodes.some((node) => this.#isRunningOn(node, vmid));
  }

  ownerOf(vmid: number): string | undefined {
    return this.nodes.find((node) => existsSync(this.#config(node, vmid)));
  }

  /** The processes of the node, and those that it runs in containers, whose parents are its sshd or monitors. */
  processes(node: string, text: string) {
    const { holderPid } = this.#node(node);
    return processesSharing(holderPid, 'mnt').filter(({ cmdline }) => cmdline.includes(text));
  }

  // --- network and sshd -------------------------------------------------------------------------------------

  /**
   * Drops all packets of a node except local ones.
   * @param kept addresses that it can still reach
   */
  async filter(node: string, kept: readonly string[] = []): Promise<Undo> {
    const accept = (field: string) => kept.map((address) => `ip ${field} ${address} accept\n`).join('');
    const chain = (name: string, hook: string, loopback: string, field: string) =>
      `chain ${name} {\ntype filter hook ${hook} priority 0\n${loopback} lo accept\n${accept(field)}drop\n}\n`;
    const table = `table inet rig {\n${chain('from', 'input', 'iif', 'saddr')}${chain('to', 'output', 'oif', 'daddr')}}\n`;
    await must(this.#argv(node, ['nft', '-f', '-']), { stdin: table });
    return () => this.#unfilter(node);
  }

  /** Isolates a node: the others see it as offline, and it has no quorum. */
  async isolate(node: string): Promise<Undo> {
    const undo = await this.filter(node);
    const others = this.nodes.filter((each) => each !== node);
    for (const each of others) this.#publish(each, { quorate: true, offline: [node] });
    await this.#setQuorum(node, { quorate: false, offline: others });
    return async () => {
      await undo();
      for (const each of others) this.#publish(each, ALL);
      await this.#setQuorum(node, ALL);
    };
  }

  /** Only the other nodes can reach it. */
  hideFromOutside(node: string): Promise<Undo> {
    return this.filter(
      node,
      this.nodes.filter((each) => each !== node).map((each) => this.addressOf(each)),
    );
  }

  async stopSsh(node: string): Promise<Undo> {
    await this.#sshd('stop', node);
    return () => this.#sshd('start', node);
  }

  dropConnections(node: string): void {
    for (const { pid, comm, cmdline } of processesSharing(this.#node(node).holderPid, 'mnt')) {
      if (!comm.startsWith('sshd') || cmdline.includes('listener') || cmdline.includes(' -D ')) continue;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Of the two processes of a connection the second ends with the first.
      }
    }
  }

  async refuseLogins(node: string): Promise<Undo> {
    const rename = (from: string, to: string) =>
      must(this.#argv(node, ['mv', `/etc/ssh/rig/${from}`, `/etc/ssh/rig/${to}`]));
    await rename('authorized_keys', 'authorized_keys.away');
    return async () => void (await rename('authorized_keys.away', 'authorized_keys'));
  }

  /** The cluster publishes the key of another node in place of its own. */
  async publishOtherHostKey(node: string): Promise<Undo> {
    const other = this.nodes.find((each) => each !== node) ?? '';
    const key = (this.#knownHosts.get(other) ?? '').replace(/^\S+/, node);
    replaceFile(this.#pve('nodes', node, 'ssh_known_hosts'), key);
    return async () =>
      replaceFile(this.#pve('nodes', node, 'ssh_known_hosts'), this.#knownHosts.get(node) ?? '');
  }

  // --- the cluster file system ------------------------------------------------------------------------------

  async hangPmxcfs(node: string): Promise<Undo> {
    this.#signalPmxcfs(node, 'SIGSTOP');
    return async () => this.#signalPmxcfs(node, 'SIGCONT');
  }

  async loseQuorum(): Promise<Undo> {
    for (const node of this.nodes) await this.#setQuorum(node, { quorate: false, offline: [] });
    return async () => {
      for (const node of this.nodes) await this.#setQuorum(node, ALL);
    };
  }

  /** Stops and locks a container; the steps are those of `pct migrate` on shared storage. */
  async beginMigration(vmid: number, to: string) {
    const from = this.ownerOf(vmid) ?? '';
    await this.#stop(vmid);
    this.#setLock(from, vmid, 'lock: migrate\n');
    let moved = false;
    const move = () => {
      if (!moved) this.#moveConfig(vmid, to);
      moved = true;
    };
    return {
      move: async () => move(),
      finish: async () => {
        move();
        this.#setLock(to, vmid, '');
        await this.#start(to, vmid);
      },
    };
  }

  /** Acts as the HA manager for one container: carries out the request of `pct` on the given node. */
  async manageByHa(vmid: number, startsOn: string): Promise<Undo> {
    const file = this.#pve('ha', 'resources.cfg');
    replaceFile(file, `ct: ${vmid}\n\tstate ${this.isRunning(vmid) ? 'started' : 'stopped'}\n`);
    const request = join(this.info.state, 'ha', String(vmid));
    let working = Promise.resolve();
    const timer = setInterval(() => {
      if (!existsSync(request)) return;
      const verb = readFileSync(request, 'utf8');
      rmSync(request);
      working = working.then(async () => {
        if (verb === 'stop') return this.#stop(vmid);
        if (this.ownerOf(vmid) !== startsOn) this.#moveConfig(vmid, startsOn);
        return this.#start(startsOn, vmid);
      });
    }, HA_ROUND_MS);
    return async () => {
      clearInterval(timer);
      await working;
      rmSync(file, { force: true });
    };
  }

  // --- reset ------------------------------------------------------------------------------------------------

  /** Resets containers, configurations, links and sshd to the initial state, also after a failed test. */
  async reset(): Promise<void> {
    for (const node of this.nodes) {
      this.#signalPmxcfs(node, 'SIGCONT');
      await this.#unfilter(node);
      await this.#setQuorum(node, ALL);
      replaceFile(this.#pve('nodes', node, 'ssh_known_hosts'), this.#knownHosts.get(node) ?? '');
    }
    for (const path of this.#configs.keys()) {
      const vmid = Number(/(\d+)\.conf$/.exec(path)?.[1]);
      const [node = ''] = path.split('/');
      const elsewhere = this.nodes.some((each) => each !== node && this.#isRunningOn(each, vmid));
      if (elsewhere || (this.isRunning(vmid) && !this.#running.includes(vmid))) await this.#stop(vmid);
      for (const each of this.nodes) rmSync(this.#config(each, vmid), { force: true });
    }
    for (const [path, text] of this.#configs) replaceFile(this.#pve('nodes', path), text);
    publishGuests(this.#pve());
    for (const vmid of this.#running) {
      if (!this.isRunning(vmid)) await this.#start(this.ownerOf(vmid) ?? '', vmid);
    }
    this.#publishUsage();
  }

  // --- inside -----------------------------------------------------------------------------------------------

  #node(name: string) {
    const node = this.info.nodes[name];
    if (!node) throw new Error(`the cluster has no node ${name}`);
    return node;
  }

  #argv(node: string, argv: readonly string[]): [string, ...string[]] {
    const pid = String(this.#node(node).holderPid);
    return ['nsenter', '--target', pid, '--mount', '--uts', '--net', '--', ...argv];
  }

  #pve(...parts: string[]): string {
    return join(this.info.state, 'pve', ...parts);
  }

  #config(node: string, vmid: number): string {
    return this.#pve('nodes', node, 'lxc', `${vmid}.conf`);
  }

  /** Command sockets belong to one network namespace. */
  #isRunningOn(node: string, vmid: number): boolean {
    return readFileSync(`/proc/${this.#node(node).holderPid}/net/unix`, 'utf8')
      .split('\n')
      .some((line) => line.endsWith(`@/var/lib/lxc/${vmid}/command`));
  }

  #runsOn(vmid: number): string {
    const node = this.nodes.find((each) => this.#isRunningOn(each, vmid));
    if (node === undefined) throw new Error(`container ${vmid} does not run`);
    return node;
  }

  async #start(node: string, vmid: number): Promise<void> {
    await must(this.#argv(node, ['rig-lxc-start', String(vmid)]));
    this.#publishUsage();
  }

  async #stop(vmid: number): Promise<void> {
    if (!this.isRunning(vmid)) return;
    await must(this.#argv(this.#runsOn(vmid), ['lxc-stop', '-n', String(vmid), '--kill']));
    await until(() => !this.isRunning(vmid));
    this.#publishUsage();
  }

  #publishUsage(): void {
    publishUsage(this.#pve(), (vmid) => this.isRunning(vmid));
  }

  #moveConfig(vmid: number, to: string): void {
    renameSync(this.#config(this.ownerOf(vmid) ?? '', vmid), this.#config(to, vmid));
    publishGuests(this.#pve());
  }

  #setLock(node: string, vmid: number, line: string): void {
    const text = readFileSync(this.#config(node, vmid), 'utf8').replace(/^lock: .*\n/m, '');
    replaceFile(this.#config(node, vmid), `${text}${line}`);
  }

  #publish(node: string, view: View): void {
    replaceFile(join(this.info.state, node, 'pve', 'members'), membersText(node, this.#addresses, view));
  }

  /** On a real node some files become read-only; here the whole file system does. */
  async #setQuorum(node: string, view: View): Promise<void> {
    this.#publish(node, view);
    const option = `remount,${view.quorate ? 'rw' : 'ro'}`;
    await must(this.#argv(node, ['mount', '-i', '-o', option, '/etc/pve']));
  }

  #signalPmxcfs(node: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const { pid, comm } of processesSharing(this.#node(node).holderPid, 'mnt')) {
      if (comm === 'bindfs') process.kill(pid, signal);
    }
  }

  async #unfilter(node: string): Promise<void> {
    await this.inNode(node, ['nft', 'delete', 'table', 'inet', 'rig']);
  }

  async #sshd(verb: 'start' | 'stop', node: string): Promise<void> {
    await must([join(rigDirectory, 'cluster-sshd'), verb, node], {
      env: { RIG_CLUSTER_STATE: this.info.state },
    });
  }
}

/** A known_hosts file with the keys of some nodes. */
export function writeKnownHosts(file: string, cluster: RigCluster, nodes: readonly string[]): void {
  writeFileSync(file, nodes.map((node) => `${cluster.knownHosts(node)}\n`).join(''));
}
