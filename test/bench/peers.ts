/*
 * node --import tsx test/bench/peers.ts DIR: this server (built) and other MCP servers for SSH against one OpenSSH sshd on this
 * machine. DIR is where they were installed: npm install --prefix DIR ssh-mcp mcp-ssh-manager. Prints the table of
 * docs/comparison.md. Not part of `npm run bench`: it measures programs of other projects.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { alignTable } from '../../scripts/gen/table.ts';
import { makeKey, type Sshd, startSshd } from '../ssh/sshd.ts';

interface Peer {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Name and arguments of the call that runs a command with a timeout in seconds. */
  run(
    command: string,
    seconds: number,
  ): { readonly name: string; readonly arguments: Record<string, unknown> };
}

const CALLS = 60;
const AT_ONCE = 64;
/** Recognizes the processes of the command that is to be killed. */
const MARK = `98${process.pid}`;

const peersDir = path.resolve(process.argv[2] ?? '.');
const root = fileURLToPath(new URL('../..', import.meta.url));
const work = mkdtempSync(path.join(tmpdir(), 'peers-'));
const sshd = await startSshd({ config: ['MaxStartups 200'] });
try {
  const peers = [ours(sshd), sshMcp(sshd), sshManager(sshd)];
  const load = loadavg()[0]?.toFixed(0);
  const columns: string[][] = [];
  for (const peer of peers) columns.push(await measure(peer));
  const titles = [
    'cold start to tools/list',
    'tools, and tokens of tools/list',
    `exec of \`true\`, median of ${CALLS}`,
    `${AT_ONCE} calls at once: time, calls that fail`,
    'timeout of 2 s: processes that survive, of 3',
    'a host key other than the known one',
  ];
  const rows = titles.map(
    (title, index) => `| ${[title, ...columns.map((each) => each[index])].join(' | ')} |`,
  );
  const head = `| measure | ${peers.map(({ name }) => name).join(' | ')} |`;
  console.log(`Node.js ${process.version}, load ${load}\n`);
  console.log(alignTable([head, `|${'---|'.repeat(peers.length + 1)}`, ...rows].join('\n')));
} finally {
  await sshd.stop();
  rmSync(work, { recursive: true, force: true });
}

function ours({ port, username, userKey }: Sshd): Peer {
  const dir = home('ours');
  writeFileSync(path.join(dir, 'empty.env'), '');
  return {
    name: 'proxmox-mcp-server',
    command: [path.join(root, 'dist/bin.js'), '--config', path.join(dir, 'empty.env')],
    env: {
      I_ACCEPT_RISKS: 'true',
      ENABLE_HOST_EXEC: 'true',
      PROXMOX_HOST: '127.0.0.1',
      SSH_PORT: String(port),
      SSH_USERNAME: username,
      SSH_KEY: userKey,
      HOME: dir,
      LOG_LEVEL: 'silent',
    },
    run: (command, timeout) => ({ name: 'proxmox_host_exec_command', arguments: { command, timeout } }),
  };
}

function sshMcp({ port, username, userKey }: Sshd): Peer {
  const dir = home('ssh-mcp');
  const config = path.join(dir, '.config/ssh-mcp');
  mkdirSync(config, { recursive: true, mode: 0o700 });
  writeFileSync(
    path.join(config, 'config.toml'),
    `[defaults]\ndefaultProfile = "node"\napprovalMode = "auto"\n\n[[profiles]]\nname = "node"\nhost = "127.0.0.1"\nport = ${port}\nuser = "${username}"\nauth = "key"\nkeyRef = "${userKey}"\nrole = "admin"\napprovalPolicy = "auto"\n`,
    { mode: 0o600 },
  );
  return {
    name: `ssh-mcp ${versionOf('ssh-mcp')}`,
    command: [path.join(peersDir, 'node_modules/ssh-mcp/build/index.js')],
    env: { HOME: dir, XDG_CONFIG_HOME: path.join(dir, '.config') },
    run: (command, seconds) => ({
      name: 'run-command',
      arguments: { command, description: 'measure', timeoutMs: seconds * 1000 },
    }),
  };
}

function sshManager({ port, username, userKey }: Sshd): Peer {
  return {
    name: `mcp-ssh-manager ${versionOf('mcp-ssh-manager')}`,
    command: [path.join(peersDir, 'node_modules/mcp-ssh-manager/src/index.js')],
    env: {
      HOME: home('ssh-manager'),
      SSH_SERVER_NODE_HOST: '127.0.0.1',
      SSH_SERVER_NODE_PORT: String(port),
      SSH_SERVER_NODE_USER: username,
      SSH_SERVER_NODE_KEYPATH: userKey,
    },
    run: (command, seconds) => ({
      name: 'ssh_execute',
      arguments: { server: 'node', command, timeout: seconds * 1000 },
    }),
  };
}

async function measure(peer: Peer): Promise<string[]> {
  const since = performance.now();
  const client = await connect(peer);
  const { tools } = await client.listTools();
  const start = performance.now() - since;
  const call = (command: string, seconds = 30) => client.callTool(peer.run(command, seconds));
  // The first calls connect.
  for (let i = 0; i < 5; i += 1) await call('true');
  const times: number[] = [];
  for (let i = 0; i < CALLS; i += 1) {
    const begin = performance.now();
    const { isError, content } = await call('true');
    if (isError === true) throw new Error(`${peer.name}: ${JSON.stringify(content)}`);
    times.push(performance.now() - begin);
  }
  const begin = performance.now();
  const burst = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => call('true')));
  const seconds = (performance.now() - begin) / 1000;
  const failed = burst.filter((each) => each.status === 'rejected' || each.value.isError === true).length;
  await client.close();
  const survivors = await survivorsOf(peer);
  return [
    `${start.toFixed(0)} ms`,
    `${tools.length}, ${encode(JSON.stringify(tools)).length}`,
    `${median(times).toFixed(1)} ms`,
    `${seconds.toFixed(2)} s, ${failed}`,
    String(survivors),
    (await acceptsOtherKey(peer)) ? 'accepted' : 'refused',
  ];
}

/** Processes that still run three seconds after the answer: the command, a child, and one in a session of its own. */
async function survivorsOf(peer: Peer): Promise<number> {
  const client = await connect(peer);
  const command = `setsid sleep ${MARK} & sleep ${MARK} & sleep ${MARK}`;
  await client.callTool(peer.run(command, 2)).catch(() => undefined);
  await sleep(3000);
  const pids = execFileSync('sh', ['-c', `pgrep -fx 'sleep ${MARK}' || true`], { encoding: 'utf8' })
    .split('\n')
    .filter((pid) => pid !== '');
  for (const pid of pids) process.kill(Number(pid));
  await client.close();
  return pids.length;
}

/** Whether a command runs although known_hosts has another key for this address and port. */
async function acceptsOtherKey(peer: Peer): Promise<boolean> {
  const dir = peer.env.HOME ?? work;
  mkdirSync(path.join(dir, '.ssh'), { recursive: true, mode: 0o700 });
  rmSync(path.join(dir, '.config/proxmox-mcp'), { recursive: true, force: true });
  const key = readFileSync(`${makeKey(dir, 'other')}.pub`, 'utf8');
  writeFileSync(path.join(dir, '.ssh/known_hosts'), `[127.0.0.1]:${sshd.port} ${key}`);
  const client = await connect(peer);
  const answer = await client.callTool(peer.run('echo is-$((40+2))', 10)).catch(() => undefined);
  await client.close();
  return JSON.stringify(answer?.content ?? '').includes('is-42');
}

async function connect(peer: Peer): Promise<Client> {
  const client = new Client({ name: 'compare', version: '1.0.0' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [...peer.command],
      env: { PATH: process.env.PATH ?? '', ...peer.env },
      stderr: 'ignore',
    }),
  );
  return client;
}

/** A home directory of its own, so that no server reads or writes the settings of this user. */
function home(name: string): string {
  const dir = path.join(work, name);
  mkdirSync(dir, { mode: 0o700 });
  return dir;
}

function versionOf(name: string): string {
  const file = path.join(peersDir, 'node_modules', name, 'package.json');
  const { version }: { version: string } = JSON.parse(readFileSync(file, 'utf8'));
  return version;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
