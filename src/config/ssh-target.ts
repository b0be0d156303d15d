import fs from 'node:fs';
import path from 'node:path';
import { AppError } from '../lib/errors.ts';
import type { SshTarget } from '../ssh/ssh-types.ts';
import { type JumpHop, parseHop } from './formats.ts';
import { absolutePath, currentSurroundings, type HostEnvironment } from './host-environment.ts';
import { knownHostsFiles } from './known-hosts-files.ts';
import { parseProxyCommand, proxyProgram } from './proxy-command.ts';
import type { Config } from './settings-schema.ts';
import { type HostEntry, SshConfigFile } from './ssh-config-file.ts';

const WINDOWS_AGENT = '\\\\.\\pipe\\openssh-ssh-agent';
const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** What resolving one server needs to know. */
interface Context {
  readonly config: Config;
  readonly at: HostEnvironment;
  readonly file: SshConfigFile;
}

/** One server as it was asked for, before ~/.ssh/config has its say. */
interface Wanted extends JumpHop {
  readonly fallbackUser: string;
}

/**
 * Where to connect and as whom: explicit settings first, then what ~/.ssh/config and the machine's ssh_config say
 * about the host, then defaults. `warn` hears what of those files has no effect here.
 *
 * @throws AppError SSH_UNREACHABLE when they say that the host is reached in a way that this server does not know.
 */
export function resolveSshTarget(
  config: Config,
  at: HostEnvironment = currentSurroundings(),
  warn: (message: string) => void = () => {},
): SshTarget {
  const context: Context = { config, at, file: new SshConfigFile(at, warn) };
  const { host, sshUsername: username, sshPort: port } = config;
  const entry = context.file.lookUp(host);
  const target = resolveOne(context, entry, {
    host,
    ...(username === undefined ? {} : { username }),
    ...(port === undefined ? {} : { port }),
    fallbackUser: 'root',
  });
  const hops = config.sshJump ?? jumpsOf(context, entry, target, host);
  return {
    ...target,
    ...(config.sshPassword === undefined ? {} : { password: config.sshPassword }),
    jumps: resolveHops(context, hops, new Set([host])),
  };
}

/** First hop first. The first one may have a jump of its own in ~/.ssh/config; of the others it is overridden. */
function resolveHops(context: Context, hops: readonly JumpHop[], seen: ReadonlySet<string>): SshTarget[] {
  return hops.flatMap((hop, index) => {
    const entry = context.file.lookUp(hop.host);
    const target = resolveOne(context, entry, { ...hop, fallbackUser: context.at.username });
    if (index > 0) return [target];
    // `Host *` with a ProxyJump sends the jump host through itself, too.
    const met = new Set([...seen, hop.host]);
    const before = jumpsOf(context, entry, target, hop.host).filter(({ host }) => !met.has(host));
    return [...resolveHops(context, before, met), target];
  });
}

function resolveOne(context: Context, entry: HostEntry, wanted: Wanted): SshTarget {
  const { config, at } = context;
  const port = wanted.port ?? (Number(first(entry, 'port')) || 22);
  const username = wanted.username ?? first(entry, 'user') ?? wanted.fallbackUser;
  const host = (first(entry, 'hostname') ?? wanted.host).replaceAll('%h', wanted.host).replaceAll('%%', '%');
  const expand = (text: string): string =>
    expandTokens(text, at, { host, port, username, original: wanted.host });

  const hostKeyAlias = first(entry, 'hostkeyalias');
  const named = identityFiles(entry, at, expand);
  const own = [
    ...(config.sshKey === undefined ? [] : [config.sshKey]),
    ...(wanted.identityFiles ?? []).map((file) => absolutePath(at, file)),
    ...named,
  ];
  const files = knownHostsFiles(config.sshKnownHosts, entry, at, expand);
  return {
    host,
    port,
    username,
    ...(hostKeyAlias === undefined ? {} : { hostKeyAlias: expand(hostKeyAlias) }),
    // As in OpenSSH: the usual files are for those who named none.
    identityFiles: [...new Set(own.length > 0 || entry.identityfile !== undefined ? own : defaultKeys(at))],
    ...(first(entry, 'identitiesonly')?.toLowerCase() === 'yes' ? { identitiesOnly: true } : {}),
    ...(config.sshKeyPassphrase === undefined ? {} : { passphrase: config.sshKeyPassphrase }),
    ...agentOf(entry, at, expand),
    jumps: [],
    hostKeyPolicy: config.sshHostKeyPolicy,
    ...files,
  };
}

/** The hops that ssh_config has for a host. @throws AppError SSH_UNREACHABLE when they cannot be told. */
function jumpsOf(
  { at, file }: Context,
  entry: HostEntry,
  target: SshTarget,
  original: string,
): readonly JumpHop[] {
  const keyword = proxyKeyword(entry);
  const value = keyword === undefined ? undefined : first(entry, keyword);
  const other = file.lookUp(original, true);
  const otherKeyword = proxyKeyword(other);
  if (otherKeyword !== keyword || (keyword !== undefined && first(other, keyword) !== value)) {
    throw unknownWay(
      original,
      'in a way that depends on a command (Match exec), which this server does not run',
    );
  }
  if (value === undefined || value.toLowerCase() === 'none') return [];
  const expand = (text: string) => expandTokens(text, at, { ...target, original });
  if (keyword === 'proxycommand') {
    const { host, port } = target;
    const hops = parseProxyCommand(value, { host, port, platform: at.platform, expand });
    if (hops !== undefined) return hops;
    throw unknownWay(original, `by a ProxyCommand (${proxyProgram(value)}) that this server does not run`);
  }
  const hops = value.split(',').map((hop) => parseHop(expand(hop.trim())));
  const good = hops.filter((hop) => hop !== undefined);
  if (good.length === hops.length) return good;
  throw unknownWay(original, `by a ProxyJump that is not a list of [user@]host[:port] (${value})`);
}

/** As in OpenSSH, the one that stands first rules out the other. */
function proxyKeyword(entry: HostEntry): string | undefined {
  return Object.keys(entry).find((key) => key === 'proxyjump' || key === 'proxycommand');
}

/** Another machine may have the same address on this network, and would be offered the password. */
function unknownWay(host: string, how: string): AppError {
  return new AppError(
    'SSH_UNREACHABLE',
    `ssh_config says that ${host} is reached ${how}. No connection was made, since a direct one may end at another machine.`,
    `If ${host} is behind another SSH server, name that server in ProxyJump or SSH_JUMP. If ${host} can be reached directly, set SSH_JUMP=none.`,
  );
}

/** IdentityFile entries that are there, if only as the public half of a key that the agent holds. */
function identityFiles(entry: HostEntry, at: HostEnvironment, expand: (text: string) => string): string[] {
  return (entry.identityfile ?? [])
    .filter((file) => file.toLowerCase() !== 'none')
    .map((file) => absolutePath(at, expand(file)))
    .filter((file) => fs.existsSync(file) || fs.existsSync(`${file}.pub`));
}

function defaultKeys(at: HostEnvironment): string[] {
  return DEFAULT_KEYS.map((name) => path.join(at.home, '.ssh', name)).filter((file) => fs.existsSync(file));
}

type Agent = Pick<SshTarget, 'agent' | 'agentVariable'>;

function agentOf(entry: HostEntry, at: HostEnvironment, expand: (text: string) => string): Agent {
  const fromVariable = (name: string): Agent => {
    const agent = at.env[name];
    return agent ? { agent, agentVariable: name } : {};
  };
  const named = first(entry, 'identityagent');
  if (named === undefined || named === 'SSH_AUTH_SOCK') {
    const found = fromVariable('SSH_AUTH_SOCK');
    return found.agent === undefined && at.platform === 'win32' ? { agent: WINDOWS_AGENT } : found;
  }
  if (named.toLowerCase() === 'none') return {};
  const variable = /^\$\{?(\w+)\}?$/.exec(named)?.[1];
  if (variable !== undefined) return fromVariable(variable);
  // A pipe's name is not a path to be made absolute.
  return { agent: named.startsWith('\\\\') ? named : absolutePath(at, expand(named)) };
}

/** The tokens and variables that ssh_config(5) allows in file names. */
function expandTokens(
  text: string,
  at: HostEnvironment,
  server: { host: string; port: number; username: string; original: string },
): string {
  const tokens: Readonly<Record<string, string>> = {
    '%': '%',
    d: at.home,
    h: server.host,
    n: server.original,
    p: String(server.port),
    r: server.username,
    u: at.username,
  };
  return text
    .replaceAll(/%(.)/g, (whole, token: string) => tokens[token] ?? whole)
    .replaceAll(/\$\{(\w+)\}/g, (_whole, name: string) => at.env[name] ?? '');
}

function first(entry: HostEntry, keyword: string): string | undefined {
  const value = entry[keyword]?.[0];
  return value === undefined || value === '' ? undefined : value;
}
