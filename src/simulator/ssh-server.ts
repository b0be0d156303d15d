import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import ssh2 from 'ssh2';
import { ChannelInput, ChannelOutput } from './channel-streams.ts';
import { serveForwarding } from './forward.ts';
import { FdTable } from './kernel/open-file.ts';
import { login } from './login.ts';
import type { SimulatedNode } from './node/node.ts';

/** OpenSSH's MaxSessions. */
const MAX_SESSIONS = 10;

export interface ServerOptions {
  readonly node: SimulatedNode;
  /** PEM. */
  readonly hostKey: string;
  /** One line of an authorized_keys file, which every user of the node accepts. */
  readonly authorizedKey: string;
}

/** Counts of sessions at one server. */
export interface SessionCounts {
  /** Maximum number of concurrent sessions on one connection. */
  peak: number;
  /** Sessions beyond the limit of their connection. */
  refused: number;
  opened: number;
}

/** The sshd of one node, on a separate loopback port that only the wire uses. */
export class SshServer {
  readonly #server: ssh2.Server;
  readonly #listener: net.Server;
  readonly #clients = new Set<ssh2.Connection>();
  readonly sessions: SessionCounts = { peak: 0, refused: 0, opened: 0 };
  /** Maximum number of concurrent sessions on one connection. */
  maxSessions = MAX_SESSIONS;
  /** Whether every login fails. */
  refusesLogins = false;
  #port = 0;

  constructor(options: ServerOptions) {
    this.#server = new ssh2.Server(
      { hostKeys: [options.hostKey], ident: 'OpenSSH_10.0p2 Debian-7' },
      (client) => {
        this.#clients.add(client);
        client.on('close', () => this.#clients.delete(client));
        serveClient(client, options, this);
      },
    );
    // Without noDelay, Nagle's algorithm delays every response by 40 ms.
    this.#listener = net.createServer({ noDelay: true }, (socket) => this.#server.injectSocket(socket));
  }

  get port(): number {
    return this.#port;
  }

  async open(): Promise<void> {
    this.#listener.listen(0, '127.0.0.1');
    await once(this.#listener, 'listening');
    const address = this.#listener.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.end();
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()));
  }
}

function serveClient(client: ssh2.Connection, options: ServerOptions, server: SshServer): void {
  const counts = server.sessions;
  let user = '';
  let sessions = 0;
  client.on('error', () => {});
  client.on('authentication', (context) => {
    user = context.username;
    if (!server.refusesLogins && mayEnter(context, options)) context.accept();
    else context.reject(['publickey', 'password', 'keyboard-interactive']);
  });
  serveForwarding(client, options.node);
  client.on('session', (accept, reject) => {
    if (sessions >= server.maxSessions) {
      counts.refused += 1;
      reject();
      return;
    }
    sessions += 1;
    counts.opened += 1;
    counts.peak = Math.max(counts.peak, sessions);
    const session = accept();
    session.on('close', () => {
      sessions -= 1;
    });
    session.on('env', (acceptEnv) => acceptEnv?.());
    session.on('pty', (acceptPty) => acceptPty?.());
    session.on(
      'exec',
      (acceptExec, _reject, info) => void run(acceptExec(), options.node, user, info.command),
    );
    session.on('shell', (acceptShell) => {
      const channel = acceptShell();
      channel.write('The simulator has no interactive shell: give a command, as in `ssh … pct list`.\r\n');
      channel.exit(1);
      channel.end();
    });
  });
}

/** The common key, and those in the user's own file on the node. */
function authorizedKeys(node: SimulatedNode, user: string, common: string) {
  const file = `${user === 'root' ? '/root' : `/home/${user}`}/.ssh/authorized_keys`;
  const own = node.files.exists(file) ? node.files.readText(file).split('\n') : [];
  return [common, ...own].flatMap((line) => {
    const key = ssh2.utils.parseKey(line);
    return key instanceof Error ? [] : [{ key, type: key.type, data: key.getPublicSSH() }];
  });
}

function mayEnter(context: ssh2.AuthContext, { node, authorizedKey }: ServerOptions): boolean {
  const account = node.cluster.scenario.users[context.username];
  if (!account) return false;
  if (context.method === 'password') {
    return (
      account.password !== undefined && same(Buffer.from(context.password), Buffer.from(account.password))
    );
  }
  if (context.method !== 'publickey') return false;
  const key = authorizedKeys(node, context.username, authorizedKey).find(
    ({ type, data }) => type === context.key.algo && same(context.key.data, data),
  )?.key;
  if (!key) return false;
  if (!context.signature || !context.blob) return true; // a query whether the key would be accepted
  return key.verify(context.blob, context.signature, context.hashAlgo) === true;
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Runs a command line for a client. The channel closes when the last process has closed its streams. */
async function run(
  channel: ssh2.ServerChannel,
  node: SimulatedNode,
  user: string,
  line: string,
): Promise<void> {
  channel.on('error', () => {});
  channel.stderr.on('error', () => {});
  let open = 2;
  const closed = () => {
    open -= 1;
    finish();
  };
  const fds = new FdTable();
  fds.set(0, new ChannelInput(channel));
  const stdout = new ChannelOutput(channel, channel, closed);
  fds.set(1, stdout);
  fds.set(2, new ChannelOutput(channel, channel.stderr, closed, stdout));
  const process = login(node, user, line, fds);
  let exited = false;
  const exit = () => {
    const { status } = process;
    if (!status) return;
    exited = true;
    if (status.signal !== undefined) channel.exit(status.signal);
    else channel.exit(status.code);
    finish();
  };
  function finish(): void {
    if (open === 0 && exited) channel.end();
  }
  if (process.alive) process.ended.add(exit);
  else exit();
}
