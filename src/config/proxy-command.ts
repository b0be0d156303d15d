import { type JumpHop, parseHop } from './address-formats.ts';

/** The target server of a ProxyCommand, and the expansion of its tokens. */
export interface ProxiedServer {
  readonly host: string;
  readonly port: number;
  readonly platform: NodeJS.Platform;
  readonly expand: (text: string) => string;
}

/**
 * Converts a ProxyCommand that uses another SSH server into jump hosts: `ssh -W %h:%p X` and `ssh X nc %h %p`, with options of
 * ssh that do not change the target of the connection. Runs nothing.
 *
 * @returns undefined for any other command, because this server does not run programs from ssh_config
 */
export function parseProxyCommand(command: string, server: ProxiedServer): readonly JumpHop[] | undefined {
  const words = splitWords(command.replace(/\s2>\s*(?:\/dev\/null|nul)\s*$/i, ''), server.platform);
  if (words === undefined) return undefined;
  if (words[0] === 'exec') words.shift();
  const program = programName(words.shift());
  // FreeIPA sets this for all hosts. It writes a known_hosts file and connects directly.
  if (program === 'sss_ssh_knownhostsproxy') return [];
  if (program !== 'ssh') return undefined;
  const parsed = parseSsh(words, server.expand);
  const hop = parsed && parseDestination(parsed.destination);
  if (parsed === undefined || hop === undefined) return undefined;
  const { forward, remote, before } = parsed;
  const end = forward === undefined ? netcatTarget(remote) : forward;
  if (end === undefined || !isServer(end, server)) return undefined;
  const { username = hop.username, port = hop.port, identityFiles } = parsed;
  return [
    ...before,
    {
      host: hop.host,
      ...(username === undefined ? {} : { username }),
      ...(port === undefined ? {} : { port }),
      ...(identityFiles.length === 0 ? {} : { identityFiles }),
    },
  ];
}

/** The program name of a ProxyCommand, for messages. The arguments are omitted, because they may contain a secret. */
export function proxyProgram(command: string): string {
  const word = /^\s*(?:exec\s+)?(?:"([^"]+)"|'([^']+)'|(\S+))/.exec(command);
  const name = programName(word?.[1] ?? word?.[2] ?? word?.[3]);
  return /^[\w.+-]{1,40}$/.test(name) ? name : 'a program';
}

function programName(word = ''): string {
  return (word.split(/[\\/]/).at(-1) ?? '').replace(/\.exe$/i, '');
}

interface SshCommand {
  readonly destination: string;
  /** `HOST:PORT` of -W. */
  readonly forward?: string;
  readonly username?: string;
  readonly port?: number;
  readonly identityFiles: readonly string[];
  /** The hops of -J. */
  readonly before: readonly JumpHop[];
  /** The command that runs on the destination. */
  readonly remote: readonly string[];
}

/** Options of ssh without an argument that do not change the target of the connection. */
const PLAIN_FLAGS = /^[46AaCKkNnqTtvXxYy]$/;
/** The same with an argument. */
const IGNORED_FLAGS = /^[bceEmS]$/;
/** The same for -o. Options on host keys are ignored, because this server applies its own host key policy. */
const IGNORED_OPTIONS =
  /^(?:addressfamily|batchmode|checkhostip|clearallforwardings|compression|connectionattempts|connecttimeout|control(?:master|path|persist)|exitonforwardfailure|forwardagent|forwardx11|(?:global|user)knownhostsfile|identitiesonly|kbdinteractiveauthentication|loglevel|numberofpasswordprompts|passwordauthentication|preferredauthentications|pubkeyauthentication|requesttty|serveralive(?:countmax|interval)|stricthostkeychecking|tcpkeepalive)$/;

/** Parses the words after `ssh` as OpenSSH does: options may also follow the destination. */
function parseSsh(words: readonly string[], expand: (text: string) => string): SshCommand | undefined {
  const rest = [...words];
  const read: { -readonly [K in keyof SshCommand]?: SshCommand[K] } = {};
  const identityFiles: string[] = [];
  const set = (flag: string, value: string): boolean => {
    const port = /^\d{1,5}$/.test(value) ? Number(value) : undefined;
    if (flag === 'W') read.forward ??= expand(value);
    else if (flag === 'l') read.username ??= expand(value);
    else if (flag === 'i') identityFiles.push(expand(value));
    else if (flag === 'p' && port !== undefined) read.port ??= port;
    else if (flag === 'J') {
      const hops = value.split(',').map((hop) => parseHop(expand(hop)));
      const good = hops.filter((hop) => hop !== undefined);
      if (good.length !== hops.length || value.toLowerCase() === 'none') return false;
      read.before ??= good;
    } else if (flag === 'o') return setOption(value);
    else return IGNORED_FLAGS.test(flag);
    return true;
  };
  const setOption = (option: string): boolean => {
    const [, name = '', value = ''] = /^\s*(\w+)\s*[=\s]\s*(.*?)\s*$/.exec(option) ?? [];
    const flag = OPTION_FLAGS[name.toLowerCase()];
    return flag === undefined ? IGNORED_OPTIONS.test(name.toLowerCase()) : set(flag, value);
  };
  while (rest.length > 0) {
    const word = rest.shift() ?? '';
    if (word === '--' && read.destination === undefined) {
      read.destination = rest.shift() ?? '';
      break;
    }
    if (!word.startsWith('-')) {
      if (read.destination !== undefined) {
        rest.unshift(word);
        break;
      }
      read.destination = expand(word);
      continue;
    }
    for (let at = 1; at < word.length; at += 1) {
      const flag = word[at] ?? '';
      if (PLAIN_FLAGS.test(flag)) continue;
      const value = word.slice(at + 1) || rest.shift();
      if (value === undefined || !set(flag, value)) return undefined;
      break;
    }
  }
  const { destination, before = [], ...others } = read;
  return destination === undefined
    ? undefined
    : { ...others, destination, before, identityFiles, remote: rest.map(expand) };
}

const OPTION_FLAGS: Readonly<Record<string, string>> = {
  user: 'l',
  port: 'p',
  identityfile: 'i',
  proxyjump: 'J',
};

/** Parses a destination. Unlike in a list of jump hosts, an IPv6 address needs no brackets, because no port can follow it. */
function parseDestination(text: string): JumpHop | undefined {
  const six = /^((?:[^@\s]+@)?)([0-9a-f]*:[0-9a-f.]*:[0-9a-f:.%\w]*)$/i.exec(text);
  return parseHop(six === null ? text : `${six[1]}[${six[2]}]`);
}

/** The target of `nc HOST PORT` as `HOST:PORT`; undefined for any other command. */
function netcatTarget(words: readonly string[]): string | undefined {
  const rest = words.flatMap((word) => word.split(/\s+/)).filter((word) => word !== '');
  if (rest[0] === 'exec') rest.shift();
  if (!/^(?:nc|ncat|netcat)$/.test(programName(rest.shift()))) return undefined;
  while (rest[0]?.startsWith('-')) {
    const flag = rest.shift() ?? '';
    if (/^-[wqi]$/.test(flag)) rest.shift();
    else if (!/^-(?:[46Nnv]+|[wqi]\d+)$/.test(flag)) return undefined;
  }
  return rest.length === 2 ? `${rest[0]}:${rest[1]}` : undefined;
}

function isServer(end: string, { host, port }: ProxiedServer): boolean {
  const found = end.toLowerCase();
  return [`${host}:${port}`, `[${host}]:${port}`].some((each) => each.toLowerCase() === found);
}

/** Splits a command into words as a POSIX shell does; undefined if it uses other features of a shell. */
function splitWords(command: string, platform: NodeJS.Platform): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < command.length; at += 1) {
    const char = command[at] ?? '';
    const escaped = platform !== 'win32' && char === '\\' && quote !== "'" ? command[at + 1] : undefined;
    if (escaped !== undefined) {
      word = `${word ?? ''}${escaped}`;
      at += 1;
    } else if (quote !== '') {
      if (quote === '"' && /[$`]/.test(char)) return undefined;
      if (char === quote) quote = '';
      else word = `${word ?? ''}${char}`;
    } else if (/["']/.test(char)) {
      quote = char;
      word ??= '';
    } else if (/[;|&<>()$`\n\r#*?]/.test(char)) return undefined;
    else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = `${word ?? ''}${char}`;
  }
  if (quote !== '') return undefined;
  return word === undefined ? words : [...words, word];
}
