import { parseHop } from '../../../config/address-formats.ts';
import { defaultConfigFile } from '../../../config/config-file.ts';
import { absolutePath, type HostEnvironment } from '../../../config/host-environment.ts';
import type { ConfigError } from '../../../config/sources.ts';
import { nearest } from '../../../lib/suggest.ts';
import type { Request } from '../../command.ts';
import { CLIENT_IDS, type ClientId } from './clients.ts';
import type { Values } from './env-file.ts';
import { LEVELS, type Level } from './setting-values.ts';

/** The options of `init`, parsed. */
export interface InitOptions {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly undo: boolean;
  readonly level: Level | undefined;
  /** undefined: not given. */
  readonly clients: readonly ClientId[] | undefined;
  readonly createKey: boolean;
  readonly fingerprints: readonly string[];
  /** The container in which the self-test runs `true`. */
  readonly exec: number | undefined;
  /** The node, if it is on the command line. */
  readonly server: Values | undefined;
  /** Absolute path of the configuration file to write. */
  readonly configFile: string;
}

/** Parses the options and calls `addError` for each invalid one. */
export function readOptions(
  { options, args, input }: Request,
  at: HostEnvironment,
  addError: (error: ConfigError) => void,
): InitOptions {
  const list = (name: string) =>
    options[name]
      ?.split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');
  if (options['dry-run'] === 'true' && (options.yes !== 'true' || options.undo === 'true')) {
    addError({
      name: '--dry-run',
      problem: '--dry-run needs --yes, and cannot be used with --undo',
      remedy:
        'Add --yes and the settings as options, or omit --dry-run: init writes nothing before the last answer.',
    });
  }
  return {
    yes: options.yes === 'true',
    dryRun: options['dry-run'] === 'true',
    undo: options.undo === 'true',
    level: options.level === undefined ? undefined : choose('--level', options.level, LEVELS, addError),
    clients: list('client')
      ?.filter((word) => word !== 'none')
      .flatMap((word) => {
        if (word === 'all') return [...CLIENT_IDS];
        return choose('--client', word, CLIENT_IDS, addError) ?? [];
      }),
    createKey: options['create-key'] === 'true',
    fingerprints: list('fingerprint') ?? [],
    exec: options.exec === undefined ? undefined : vmidOf(options.exec, addError),
    server: args[0] === undefined ? undefined : serverOf(args[0], addError),
    configFile: input.envFile === undefined ? defaultConfigFile(at) : absolutePath(at, input.envFile),
  };
}

/** Parses `[user@]host[:port]` into settings; undefined if it is invalid. An IPv6 address needs brackets only before a port. */
export function parseServer(text: string): Values | undefined {
  const bare = /^(?:[^@\s]+@)?[0-9a-f]*:[0-9a-f.]*:[0-9a-f:.]*(?:%\w+)?$/i.test(text);
  const hop = parseHop(bare ? `${text.replace(/([^@]+)$/, '[$1]')}` : text);
  if (hop === undefined) return undefined;
  return {
    PROXMOX_HOST: hop.host,
    SSH_USERNAME: hop.username,
    SSH_PORT: hop.port === undefined ? undefined : String(hop.port),
  };
}

function serverOf(text: string, addError: (error: ConfigError) => void): Values | undefined {
  const server = parseServer(text);
  if (server === undefined) {
    addError({
      name: 'host',
      problem: `${text.slice(0, 60)} is not [user@]host[:port]`,
      remedy: 'Enter the node, for example root@192.0.2.10 or pve.example.com:2222.',
    });
  }
  return server;
}

function vmidOf(text: string, addError: (error: ConfigError) => void): number | undefined {
  if (/^[1-9]\d{2,8}$/.test(text)) return Number(text);
  addError({
    name: '--exec',
    problem: `--exec ${text.slice(0, 40)} is not a VMID`,
    remedy: 'Enter the VMID of a container, such as 101.',
  });
  return undefined;
}

function choose<T extends string>(
  name: string,
  word: string,
  among: readonly T[],
  addError: (error: ConfigError) => void,
): T | undefined {
  const found = among.find((each) => each === word);
  if (found !== undefined) return found;
  const meant = nearest(word, among);
  addError({
    name,
    problem: `${name} ${word.slice(0, 40)} is not valid${meant === undefined ? '' : ` (did you mean ${meant}?)`}`,
    remedy: `Valid values: ${among.join(', ')}.`,
  });
  return undefined;
}
