import { writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { makeKeyPair } from '../../lib/key-pair.ts';
import type { Process } from '../kernel/process.ts';
import type { PmxcfsState, SimulatedNode } from '../node/node.ts';
import { SshServer } from '../ssh-server.ts';
import { Wire } from '../wire.ts';
import { type Ran, type RunOptions, runProgramOn } from './run.ts';

/** The data that a client needs to log in. */
export interface ConnectionInfo {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** A private key that every user of the node accepts. */
  readonly keyPath: string;
  readonly knownHostsPath: string;
  readonly knownHostsLine: string;
}

interface HandleOptions {
  readonly authorizedKey: string;
  readonly keyPath: string;
  readonly knownHostsPath: string;
  readonly port: number | undefined;
}

/** Direct access to one node, without SSH: reads its state and changes it. */
export class NodeHandle {
  readonly name: string;
  readonly #node: SimulatedNode;
  readonly #options: HandleOptions;
  readonly #wire: Wire;
  #server: SshServer;
  #publicKey: string;

  private constructor(
    node: SimulatedNode,
    options: HandleOptions,
    server: SshServer,
    wire: Wire,
    publicKey: string,
  ) {
    this.name = node.name;
    this.#node = node;
    this.#options = options;
    this.#server = server;
    this.#wire = wire;
    this.#publicKey = publicKey;
  }

  static async open(node: SimulatedNode, options: HandleOptions): Promise<NodeHandle> {
    const { server, publicKey } = await startServer(node, options);
    const wire = new Wire(() => server.port);
    await wire.open(options.port);
    const handle = new NodeHandle(node, options, server, wire, publicKey);
    handle.#publishKey();
    return handle;
  }

  get connection(): ConnectionInfo {
    const { keyPath, knownHostsPath } = this.#options;
    return {
      host: '127.0.0.1',
      port: this.#wire.port,
      user: 'root',
      password: this.#node.cluster.scenario.users.root?.password ?? '',
      keyPath,
      knownHostsPath,
      knownHostsLine: `[127.0.0.1]:${this.#wire.port} ${this.#publicKey}`,
    };
  }

  // --- files and processes --------------------------------------------------------------------------------

  /** Content of a file of the node. @throws Error if it does not exist */
  file(path: string): string {
    return this.#node.files.readText(path);
  }

  write(path: string, content: string | Uint8Array): void {
    this.#node.files.write(path, content, { parents: true });
  }

  /** The file system, for operations that have no method here. */
  get files() {
    return this.#node.files;
  }

  /** All processes that the node sees, or those with the text in their arguments. */
  processes(text = ''): Process[] {
    return this.#node.table.list().filter(({ cmdline }) => cmdline.includes(text));
  }

  /** Runs a program on it as root, and collects its output. */
  run(argv: readonly string[], options?: RunOptions): Promise<Ran> {
    return runProgramOn(this.#node, argv, options);
  }

  // --- faults ---------------------------------------------------------------------------------------------

  /** Delays each packet; 0 disables the delay. */
  delay(ms: number): void {
    this.#wire.link.delayMs = ms;
  }

  /** Limits the bandwidth; 0 disables the limit. */
  throttle(bytesPerSecond: number): void {
    this.#wire.link.bytesPerSecond = bytesPerSecond;
  }

  /** Stops all data without closing connections. */
  hang(on = true): void {
    this.#wire.link.hangs = on;
  }

  dropConnections(): number {
    return this.#wire.drop();
  }

  /** Refuses connections. The other nodes see it as offline. */
  async goOffline(): Promise<void> {
    this.#node.online = false;
    await this.#wire.close();
  }

  /** Reverts `goOffline`, with the same port. */
  async comeBack(): Promise<void> {
    this.#node.online = true;
    await this.#wire.open();
  }

  /**
   * Generates a new host key, as after a reinstallation, and closes all connections. The known_hosts file keeps the old key.
   */
  async changeHostKey(): Promise<void> {
    this.#wire.drop();
    await this.#server.close();
    const { server, publicKey } = await startServer(this.#node, this.#options);
    this.#server = server;
    this.#publicKey = publicKey;
    this.#wire.backend = () => server.port;
  }

  /** The start-up time of each pct call, in ms. */
  set pctMs(ms: number) {
    this.#node.cluster.scenario.times.pct = ms;
  }

  /** Replaces a configuration in nodes/NAME/lxc; undefined removes it. */
  setConfig(vmid: number, text: string | undefined): void {
    this.#node.cluster.writeConfig(this.name, vmid, text);
  }

  /** Overrides a generated file of /etc/pve; undefined removes the file. @returns a function that reverts it */
  setClusterFile(path: string, text: string | undefined): () => void {
    const { files } = this.#node;
    const { entries } = files.directory(posix.join('/etc/pve', posix.dirname(path)));
    const name = posix.basename(path);
    const before = entries.get(name);
    entries.delete(name);
    if (text !== undefined) files.write(posix.join('/etc/pve', path), text, { mode: 0o640 });
    return () => {
      if (before) entries.set(name, before);
      else entries.delete(name);
    };
  }

  /** The cluster file system works, hangs (every read blocks), or is not mounted. */
  set pmxcfs(state: PmxcfsState) {
    this.#node.pmxcfs = state;
  }

  /** Fills the node's disk. */
  fillDisk(): void {
    const { volume } = this.#node.files.root;
    volume.base = volume.size - volume.used;
  }

  async close(): Promise<void> {
    await this.#wire.close();
    await this.#server.close();
  }

  #publishKey(): void {
    writeFileSync(this.#options.knownHostsPath, `${this.connection.knownHostsLine}\n`);
    this.#node.cluster.write(`/nodes/${this.name}/ssh_known_hosts`, `${this.name} ${this.#publicKey}\n`);
  }
}

async function startServer(node: SimulatedNode, { authorizedKey }: HandleOptions) {
  const key = await makeKeyPair('host');
  const server = new SshServer({ node, hostKey: key.privateKey, authorizedKey });
  await server.open();
  return { server, publicKey: key.publicKey.split(' ').slice(0, 2).join(' ') };
}
