import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import type { Writable } from 'node:stream';
import ssh2 from 'ssh2';
import { serveForwarding } from './forward.ts';
import { login } from './login.ts';
import type { SimulatedNode } from './node/node.ts';
import { serveSftp } from './sftp.ts';
import type { Sink } from './shell/streams.ts';

/** OpenSSH's MaxSessions. */
const MAX_SESSIONS = 10;

export interface ServerOptions {
  readonly node: SimulatedNode;
  /** PEM. */
  readonly hostKey: string;
  /** One line of an authorized_keys file; it opens the door to every user. */
  readonly authorizedKey: string;
  readonly maxSessions?: number;
}

/** sshd of one node, on a loopback port of its own that only the wire knows. */
export class SshServer {
  readonly #server: ssh2.Server;
  readonly #listener: net.Server;
  readonly #clients = new Set<ssh2.Connection>();
  #port = 0;

  constructor(options: ServerOptions) {
    this.#server = new ssh2.Server(
      { hostKeys: [options.hostKey], ident: 'OpenSSH_10.0p2 Debian-7' },
      (client) => {
        this.#clients.add(client);
        client.on('close', () => this.#clients.delete(client));
        serveClient(client, options);
      },
    );
    // ssh2 leaves Nagle's algorithm on, which costs every answer 40 ms.
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

function serveClient(client: ssh2.Connection, options: ServerOptions): void {
  let user = '';
  let sessions = 0;
  client.on('error', () => {});
  client.on('authentication', (context) => {
    user = context.username;
    if (mayEnter(context, options)) context.accept();
    else context.reject(['publickey', 'password', 'keyboard-interactive']);
  });
  serveForwarding(client);
  client.on('session', (accept, reject) => {
    if (sessions >= (options.maxSessions ?? MAX_SESSIONS)) {
      reject();
      return;
    }
    sessions += 1;
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
    session.on('sftp', (acceptSftp) => serveSftp(acceptSftp(), options.node));
    session.on('shell', (acceptShell) => {
      const channel = acceptShell();
      channel.write('The simulator has no interactive shell: give a command, as in `ssh … pct list`.\r\n');
      channel.exit(1);
      channel.end();
    });
  });
}

/** The key of every user, and those in the user's own file on the node. */
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
  if (!context.signature || !context.blob) return true; // only asked whether the key would do
  return key.verify(context.blob, context.signature, context.hashAlgo) === true;
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

async function run(
  channel: ssh2.ServerChannel,
  node: SimulatedNode,
  user: string,
  line: string,
): Promise<void> {
  channel.on('error', () => {});
  channel.stderr.on('error', () => {});
  const streams = new ChannelStreams(channel);
  const done = streams.hold();
  const code = await login(node, user, line, {
    stdin: channel,
    stdout: streams.sink(channel),
    stderr: streams.sink(channel.stderr),
  }).catch((error: unknown) => {
    channel.stderr.write(
      `simulator: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return 255;
  });
  if (!streams.closed) channel.exit(code);
  done();
}

/** sshd closes a channel when the last process that holds its streams is gone. */
class ChannelStreams {
  readonly #channel: ssh2.ServerChannel;
  #holders = 0;
  closed = false;

  constructor(channel: ssh2.ServerChannel) {
    this.#channel = channel;
    channel.on('close', () => {
      this.closed = true;
    });
  }

  hold(): () => void {
    this.#holders += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holders -= 1;
      if (this.#holders === 0 && !this.closed) {
        // Whatever the client still sends is dropped, so that the channel can end.
        this.#channel.resume();
        this.#channel.end();
      }
    };
  }

  sink(stream: Writable): Sink {
    return {
      write: async (bytes) => {
        if (this.closed || !stream.writable) return false;
        if (stream.write(bytes)) return true;
        await new Promise<void>((resolve) => {
          const goOn = () => {
            stream.off('drain', goOn);
            this.#channel.off('close', goOn);
            resolve();
          };
          stream.on('drain', goOn);
          this.#channel.on('close', goOn);
        });
        return !this.closed;
      },
      hold: () => this.hold(),
    };
  }
}
