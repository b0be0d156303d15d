import fs from 'node:fs';
import path from 'node:path';
import { AppError } from '../lib/errors.ts';
import type { SshTarget } from '../ssh/ssh-types.ts';
import { addressesOf, type JumpHop, parseHop, type ServerAddress } from './address-formats.ts';
import { absolutePath, currentEnvironment, type HostEnvironment } from './host-environment.ts';
import { knownHostsFiles } from './known-hosts-files.ts';
import { parseProxyCommand, proxyProgram } from './proxy-command.ts';
import type { Config } from './settings-schema.ts';
import { type HostEntry, SshConfigFile } from './ssh-config-file.ts';

const WINDOWS_AGENT = '\\\\.\\pipe\\openssh-ssh-agent';
const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** The context for resolving one server. */
interface Context {
  readonly config: Config;
  readonly at: HostEnvironment;
  readonly file: SshConfigFile;
}

/** One server as configured, before ~/.ssh/config is applied. */
interface Wanted extends JumpHop {
  readonly fallbackUser: string;
}

/**
 * The host, port, user and keys to connect with: from the settings, then from ~/.ssh/config and the system-wide ssh_config, then
 * from the defaults. Calls `warn` for parts of those files that are ignored.
 *
 * @throws AppError SSH_UNREACHABLE if they reach the host in a way that this server does not support
 */
export function resolveSshTarget(
  config: Config,
  at: HostEnvironment = currentEnvironment(),
  warn: (message: string) => void = () => {},
): SshTarget {
  return resolveSshTargets(config, at, warn)[0];
}

/** The same for each address in HOST, in order. */
export function resolveSshTargets(
  config: Config,
  at: HostEnvironment = currentEnvironment(),
  warn: (message: string) => void = () => {},
): readonly [SshTarget, ...SshTarget[]] {
  const context: Context = { config, at, file: new SshConfigFile(at, warn) };
  const [first, ...others] = addressesOf(config.host);
  if (first === undefined) throw new TypeError('HOST has no address');
  return [resolveEntry(context, first), ...others.map((address) => resolveEntry(context, address))];
}

function resolveEntry(context: Context, { host, port = context.config.sshPort }: ServerAddress): SshTarget {
  const { config } = context;
  const { sshUsername: username } = config;
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

/** Resolves jump hosts, in order. A jump host of the first one in ~/.ssh/config is used; those of the others are not. */
function resolveHops(context: Context, hops: readonly JumpHop[], seen: ReadonlySet<string>): SshTarget[] {
  return hops.flatMap((hop, index) => {
    const entry = context.file.lookUp(hop.host);
    const target = resolveOne(context, entry, { ...hop, fallbackUser: context.at.username });
    if (index > 0) return [target];
    // A ProxyJump in `Host *` would also apply to the jump host itself, endlessly.
    const visited = new Set([...seen, hop.host]);
    const before = jumpsOf(context, entry, target, hop.host).filter(({ host }) => !visited.has(host));
    return [...resolveHops(context, before, visited), target];
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
  const configured = [
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
    // As in OpenSSH, the default files are used only if no file is configured.
    identityFiles: [
      ...new Set(configured.length > 0 || entry.identityfile !== undefined ? configured : defaultKeys(at)),
    ],
    ...(first(entry, 'identitiesonly')?.toLowerCase() === 'yes' ? { identitiesOnly: true } : {}),
    ...(config.sshKeyPassphrase === undefined ? {} : { passphrase: config.sshKeyPassphrase }),
    ...agentOf(entry, at, expand),
    jumps: [],
    hostKeyPolicy: config.sshHostKeyPolicy,
    ...files,
  };
}

/** The jump hosts of a host in ssh_config. @throws AppError SSH_UNREACHABLE if they cannot be determined */
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
    throw unsupportedProxy(original, 'depending on a command (Match exec), which this server does not run');
  }
  if (value === undefined || value.toLowerCase() === 'none') return [];
  const expand = (text: string) => expandTokens(text, at, { ...target, original });
  if (keyword === 'proxycommand') {
    const { host, port } = target;
    const hops = parseProxyCommand(value, { host, port, platform: at.platform, expand });
    if (hops !== undefined) return hops;
    throw unsupportedProxy(
      original,
      `by a ProxyCommand (${proxyProgram(value)}) that this server does not run`,
    );
  }
  const hops = value.split(',').map((hop) => parseHop(expand(hop.trim())));
  const good = hops.filter((hop) => hop !== undefined);
  if (good.length === hops.length) return good;
  throw unsupportedProxy(original, `by a ProxyJump that is not a list of [user@]host[:port] (${value})`);
}

/** As in OpenSSH, the first of the two keywords applies. */
function proxyKeyword(entry: HostEntry): string | undefined {
  return Object.keys(entry).find((key) => key === 'proxyjump' || key === 'proxycommand');
}

/** Refuses instead of connecting directly: the address may belong to another machine on this network, which would get the password. */
function unsupportedProxy(host: string, how: string): AppError {
  return new AppError(
    'SSH_UNREACHABLE',
    `According to ssh_config, ${host} is reached ${how}. No connection was made, because a direct one could reach a different machine.`,
    `If ${host} is reached through another SSH server, set that server in ProxyJump or SSH_JUMP. If ${host} can be reached directly, set SSH_JUMP=none.`,
  );
}

/** IdentityFile entries that exist, or whose .pub file exists, because the agent may have the private key. */
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
  // The name of a Windows pipe is not made absolute.
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
