import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { SshTarget } from '../../src/ssh/ssh-types.ts';
import { closedPort } from '../ports.ts';
import { until } from '../rig/until.ts';

const SSHD = '/usr/sbin/sshd';
const PROXMOX_PROGRAMS = ['pct', 'pveversion'].flatMap((program) =>
  ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].map(
    (folder) => `${folder}/${program}`,
  ),
);

/** Why no real sshd can be started on this machine, or null. For `describe.skipIf`. */
export const noSshd: string | null = (() => {
  if (process.platform === 'win32') return 'no sshd on Windows';
  if (!existsSync(SSHD)) return `${SSHD} is missing`;
  try {
    execFileSync('ssh-keygen', ['-?'], { stdio: 'ignore' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'ssh-keygen is missing';
  }
  return null;
})();

/** A command in a mount namespace where these files are not executable. */
function withHidden(files: readonly string[], command: readonly string[]): string[] {
  const script = `for f in ${files.join(' ')}; do mount --bind /dev/null "$f" || exit 1; done; exec "$@"`;
  return ['unshare', '--mount', '/bin/sh', '-c', script, 'sh', ...command];
}

export type KeyType = 'ed25519' | 'ecdsa' | 'rsa';

export interface Sshd {
  readonly port: number;
  readonly dir: string;
  readonly username: string;
  /** A private key that the server accepts; its public part is in the same folder. */
  readonly userKey: string;
  /** Path of the host key of a type. */
  hostKey(type: KeyType): string;
  /** The connection data; targets share only the server. */
  target(overrides?: Partial<SshTarget>): SshTarget;
  /** Number of connections that it serves. */
  connections(): number;
  /** Kills the processes of all connections at once. */
  killConnections(): void;
  /** Its log so far. */
  log(): string;
  stop(): Promise<void>;
}

export interface SshdOptions {
  readonly hostKeys?: readonly KeyType[];
  /** Lines for sshd_config; of several lines with a keyword OpenSSH uses the first, and these come first. */
  readonly config?: readonly string[];
  /** On a Proxmox VE node: sessions do not find the programs of Proxmox. Requires root. */
  readonly withoutProxmox?: boolean;
}

/** Creates a key pair; returns the path of the private key. */
export function makeKey(dir: string, name: string, type: KeyType = 'ed25519', passphrase = ''): string {
  const path = join(dir, name);
  const size = type === 'rsa' ? ['-b', '2048'] : [];
  execFileSync('ssh-keygen', ['-q', '-t', type, ...size, '-N', passphrase, '-C', name, '-f', path]);
  return path;
}

/** The fingerprint (`SHA256:…`) according to ssh-keygen. */
export function keygenFingerprint(path: string): string {
  return execFileSync('ssh-keygen', ['-lf', path], { encoding: 'utf8' }).split(' ')[1] ?? '';
}

/** Starts an OpenSSH sshd on a free loopback port, as the current user. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const dir = mkdtempSync(join(tmpdir(), 'sshd-'));
  const { username } = userInfo();
  // As root, Debian's sshd needs its privilege separation directory; normally systemd creates it.
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const types = options.hostKeys ?? ['ed25519'];
  const hostKeys = new Map(types.map((type) => [type, makeKey(dir, `host_${type}`, type)]));
  const userKey = makeKey(dir, 'user');
  writeFileSync(join(dir, 'authorized_keys'), readFileSync(`${userKey}.pub`));
  const port = await closedPort();
  const config = [
    ...(options.config ?? []),
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...[...hostKeys.values()].map((path) => `HostKey ${path}`),
    `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin yes',
    'PrintMotd no',
    'PidFile none',
    // bash reads the .bashrc of its user even for a command over ssh; the tests must not depend on its content.
    `SetEnv HOME=${dir}`,
  ];
  writeFileSync(join(dir, 'sshd_config'), `${config.join('\n')}\n`);
  const command = [SSHD, '-D', '-e', '-f', join(dir, 'sshd_config')];
  const hidden = options.withoutProxmox === true ? PROXMOX_PROGRAMS.filter(existsSync) : [];
  const [program = '', ...args] = hidden.length === 0 ? command : withHidden(hidden, command);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  // A test that hangs never reaches its `finally`.
  const kill = () => child.kill();
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await until(() => {
    if (child.exitCode !== null) throw new Error(`sshd did not start: ${log}`);
    return log.includes('Server listening');
  });
  let targets = 0;
  return {
    port,
    dir,
    username,
    userKey,
    hostKey: (type) => {
      const path = hostKeys.get(type);
      if (path === undefined) throw new Error(`no ${type} host key`);
      return path;
    },
    target(overrides = {}) {
      const knownHosts = join(dir, `known_hosts_${targets++}`);
      return {
        host: '127.0.0.1',
        port,
        username,
        identityFiles: [userKey],
        jumps: [],
        hostKeyPolicy: 'accept-new',
        knownHostsFiles: [knownHosts],
        knownHostsWriteFile: knownHosts,
        ...overrides,
      };
    },
    connections: () => childrenOf(child.pid).length,
    killConnections() {
      // For users other than root a connection has two processes, and the second holds the socket.
      const first = childrenOf(child.pid);
      for (const pid of [...first.flatMap((each) => childrenOf(each, '^sshd')), ...first]) kill9(pid);
    },
    log: () => log,
    async stop() {
      await end(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function kill9(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended with the other one.
  }
}

function childrenOf(pid: number | undefined, name = '.'): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid), name], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean).map(Number);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}
