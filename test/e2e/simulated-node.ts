import { createHash } from 'node:crypto';
import type { ScenarioInput } from '../../src/simulator/scenario.ts';
import { Simulator } from '../../src/simulator/simulator.ts';
import { CT, initialConf } from '../rig/containers.ts';
import type { Undo } from '../rig/rig.ts';
import { until } from '../rig/until.ts';
import { type ClientKeys, makeEncryptedKey } from './encrypted-key.ts';
import type { FarName } from './far.ts';
import { SimulatedFar } from './far-simulated.ts';
import type { NodeUnderTest } from './nodes.ts';

const GIB = 1024 ** 3;
const small = { '/mnt/small': { size: 1024 ** 2 }, '/mnt/ro': { size: 65_536, readOnly: true } };
const busybox = { flavour: 'alpine', disk: { size: 8 * GIB } } as const;

/** The containers of the rig, without a kernel. */
const RIG_AS_SCENARIO: ScenarioInput = {
  cluster: 'rig',
  users: {
    root: { password: 'simulator', sudo: 'all' },
    admin: { sudo: 'all' },
    operator: { sudo: ['sh'] },
  },
  nodes: {
    pve1: {
      version: '9.1.2',
      machines: { 100: { name: 'vm-stopped' } },
      mounts: { '/mnt/rig-small': { size: 1024 ** 2 }, '/mnt/rig-ro': { size: 65_536, readOnly: true } },
      containers: {
        [CT.debian]: { name: 'debian', mounts: small },
        [CT.busybox]: { name: 'busybox', ...busybox, mounts: small },
        [CT.stopped]: { name: 'stopped', ...busybox, running: false },
        [CT.locked]: { name: 'locked', ...busybox, lock: 'backup' },
      },
    },
    pve2: { containers: { [CT.elsewhere]: { name: 'elsewhere' } } },
  },
};

const CONFIGS = new Map<number, string>([
  [CT.debian, 'pve1'],
  [CT.busybox, 'pve1'],
  [CT.stopped, 'pve1'],
  [CT.locked, 'pve1'],
  [CT.elsewhere, 'pve2'],
]);

/** A simulator with the same interface for tests as the rig. */
export class SimulatedNode implements NodeUnderTest {
  #running: Simulator | undefined;
  #keys: ClientKeys | undefined;
  readonly #changedFiles: (() => void)[] = [];

  /** Its containers have the initial state of the rig's containers. */
  async start(): Promise<void> {
    this.#running = await Simulator.start({ scenario: RIG_AS_SCENARIO });
    // As on the rig, this node exists only as a directory in /etc/pve.
    await this.#running.node('pve2').stopSsh();
    await this.reset();
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  get simulator(): Simulator {
    if (!this.#running) throw new Error('used before the suite has begun');
    return this.#running;
  }

  async far(name: FarName): Promise<SimulatedFar> {
    return new SimulatedFar(this.simulator, name);
  }

  settings(): Record<string, string> {
    const { host, port, keyPath, knownHostsPath } = this.simulator.node().connection;
    return {
      I_ACCEPT_RISKS: 'true',
      HOST: host,
      SSH_PORT: String(port),
      SSH_KEY: keyPath,
      SSH_KNOWN_HOSTS: knownHostsPath,
      SSH_HOST_KEY_POLICY: 'strict',
      LOG_LEVEL: 'debug',
    };
  }

  keys(): ClientKeys {
    if (this.#keys) return this.#keys;
    const { keys, publicKey } = makeEncryptedKey(this.simulator.node().connection.keyPath);
    this.simulator.node().write('/root/.ssh/authorized_keys', publicKey);
    this.#keys = keys;
    return keys;
  }

  password(): string {
    return this.simulator.node().connection.password;
  }

  fingerprint(): string {
    const [, , key = ''] = this.simulator.node().connection.knownHostsLine.split(' ');
    const hash = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64');
    return `SHA256:${hash.replace(/=+$/, '')}`;
  }

  killSshConnections(): number {
    return this.simulator.node().dropConnections();
  }

  async silence(): Promise<Undo> {
    this.simulator.node().hang();
    return async () => {
      this.simulator.node().hang(false);
      this.simulator.node().dropConnections();
    };
  }

  async inContainer(vmid: number, argv: readonly string[]) {
    return this.simulator.container(vmid).run(argv);
  }

  async readInContainer(vmid: number, path: string): Promise<Buffer> {
    return this.simulator.container(vmid).files.read(path);
  }

  async writeInContainer(vmid: number, path: string, content: string | Uint8Array): Promise<void> {
    this.simulator.container(vmid).write(path, content);
  }

  async containerProcesses(vmid: number, text: string) {
    return this.simulator.container(vmid).processes(text);
  }

  async stopProcess(pid: number): Promise<void> {
    for (const each of this.simulator.node().processes()) if (each.pid === pid) each.signal('STOP');
  }

  isRunning(vmid: number): boolean {
    return this.simulator.container(vmid).running;
  }

  async initPid(vmid: number): Promise<number> {
    return this.simulator.container(vmid).initPid;
  }

  async readInNode(path: string): Promise<Buffer> {
    return this.simulator.node().files.read(path);
  }

  async writeInNode(path: string, content: string | Uint8Array): Promise<void> {
    this.simulator.node().write(path, content);
  }

  nodeProcesses(text: string) {
    return this.simulator.node().processes(text);
  }

  async hangClusterFile(name: string): Promise<Undo> {
    const undo = this.simulator.node().setClusterFile(name, undefined);
    this.simulator.node().files.makeSpecial(`/etc/pve/${name}`, 'fifo');
    return async () => undo();
  }

  /** The simulator counts the changes of programs, too. */
  countChange(): void {}

  async ensureStarted(vmid: number): Promise<void> {
    this.simulator.container(vmid).start();
  }

  async ensureStopped(vmid: number): Promise<void> {
    this.simulator.container(vmid).stop();
  }

  async freeze(vmid: number): Promise<Undo> {
    this.simulator.container(vmid).freeze();
    return async () => this.simulator.container(vmid).thaw();
  }

  async startWithoutShell(): Promise<Undo> {
    const container = this.simulator.container(CT.stopped);
    const shell = container.files.read('/bin/sh');
    container.files.remove('/bin/sh');
    container.start();
    return async () => {
      container.stop();
      container.files.write('/bin/sh', shell, { mode: 0o755 });
    };
  }

  async ignoreShutdown(vmid: number): Promise<Undo> {
    this.simulator.container(vmid).ignoresShutdown = true;
    return async () => {
      this.simulator.container(vmid).ignoresShutdown = false;
    };
  }

  async holdConfigLock(vmid: number): Promise<Undo> {
    const release = this.simulator.container(vmid).holdConfigLock();
    return async () => release();
  }

  async setPve(path: string, text: string | undefined): Promise<Undo> {
    const undo = this.simulator.node().setClusterFile(path, text);
    this.#changedFiles.push(undo);
    return async () => undo();
  }

  async pmxcfs(state: 'down' | 'hangs'): Promise<Undo> {
    this.simulator.node().pmxcfs = state;
    return async () => {
      this.simulator.node().pmxcfs = 'up';
    };
  }

  async setConf(vmid: number, text: string | undefined): Promise<Undo> {
    this.simulator.node().setConfig(vmid, text);
    return () => this.reset();
  }

  async slowPct(): Promise<Undo> {
    this.simulator.node().pctMs = 650;
    return async () => {
      this.simulator.node().pctMs = 0;
    };
  }

  async reset(): Promise<void> {
    this.simulator.node().pctMs = 0;
    this.simulator.node().pmxcfs = 'up';
    for (const undo of this.#changedFiles.splice(0).reverse()) undo();
    for (const [vmid, node] of CONFIGS) {
      this.simulator.node(node).setConfig(vmid, initialConf(vmid));
      if (node !== 'pve1') continue;
      const container = this.simulator.container(vmid);
      container.ignoresShutdown = false;
      container.stop();
      if (vmid !== CT.stopped) container.start();
    }
    await until(() => this.simulator.container(CT.debian).running);
  }
}
