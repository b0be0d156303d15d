import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { posix } from 'node:path';
import { makeKeyPair } from '../../lib/key-pair.ts';
import type { Process } from '../kernel/process.ts';
import type { PmxcfsState, SimulatedNode } from '../node/node.ts';
import { type SessionCounts, SshServer } from '../ssh-server.ts';
import { Wire } from '../wire.ts';
import { type Ran, type RunOptions, runProgramOn } from './run-program.ts';

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
  /** The address that the cluster knows the node by. */
  readonly address: string;
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
    await listen(wire, options);
    node.cluster.network.add(node.name, options.address, wire);
    const handle = new NodeHandle(node, options, server, wire, publicKey);
    handle.#publishKey();
    return handle;
  }

  get connection(): ConnectionInfo {
    const { keyPath, knownHostsPath } = this.#options;
    return {
      host: this.#wire.host,
      port: this.#wire.port,
      user: 'root',
      password: this.#node.cluster.scenario.users.root?.password ?? '',
      keyPath,
      knownHostsPath,
      knownHostsLine: `[${this.#wire.host}]:${this.#wire.port} ${this.#publicKey}`,
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

  /** Sessions of all clients at its sshd so far. */
  get sessions(): Readonly<SessionCounts> {
    return this.#server.sessions;
  }

  /** Number of open connections, and of all connections so far. */
  get connections(): { readonly open: number; readonly made: number } {
    return { open: this.#wire.connections, made: this.#wire.joins };
  }

  /** Delays each packet; 0 for none. */
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

  /** Blocks connections from outside the cluster; the other nodes still connect to it. */
  hangOutside(on = true): void {
    this.#wire.outside.hangs = on;
  }

  /** Refuses connections, and the cluster sees that the node is offline. */
  async goOffline(): Promise<void> {
    this.#setOnline(false);
    await this.#wire.close();
  }

  /** Reverts `goOffline`, with the same port. */
  async comeBack(): Promise<void> {
    this.#setOnline(true);
    await this.#wire.open();
  }

  /** Cuts the node off: no data arrives, and the cluster sees that the node is offline. Its processes continue. */
  loseNetwork(): void {
    this.#setOnline(false);
    this.hang();
  }

  regainNetwork(): void {
    this.#setOnline(true);
    this.hang(false);
  }

  /** Stops sshd: connections are refused, but the node remains a member of the cluster. */
  async stopSsh(): Promise<void> {
    await this.#wire.close();
  }

  async startSsh(): Promise<void> {
    await this.#wire.open();
  }

  /** Limits the concurrent sessions on each connection, as MaxSessions of sshd_config does. */
  set maxSessions(limit: number) {
    this.#server.maxSessions = limit;
  }

  /** Refuses every key and password. */
  refuseLogins(on = true): void {
    this.#server.refusesLogins = on;
  }

  #setOnline(online: boolean): void {
    this.#node.online = online;
    for (const each of this.#node.cluster.nodes) each.followQuorum();
  }

  /** Replaces the host key, as a reinstallation does; connections are closed. The known_hosts file keeps the old key. */
  async changeHostKey(): Promise<void> {
    this.#wire.drop();
    await this.#server.close();
    const { server, publicKey } = await startServer(this.#node, this.#options);
    Object.assign(server.sessions, this.#server.sessions);
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

/** Listens at the node's address in the cluster; if this machine does not have that address, at one that it has. */
async function listen(wire: Wire, { address, port }: HandleOptions): Promise<void> {
  try {
    if (net.isIP(address) === 0 || !address.startsWith('127.')) throw new Error('not of this computer');
    await wire.open(port, address);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') throw error;
    await wire.open(0, '127.0.0.1');
    wire.publishedPort = port ?? wire.port;
  }
}

async function startServer(node: SimulatedNode, { authorizedKey }: HandleOptions) {
  const key = await makeKeyPair('host');
  const server = new SshServer({ node, hostKey: key.privateKey, authorizedKey });
  await server.open();
  return { server, publicKey: key.publicKey.split(' ').slice(0, 2).join(' ') };
}
