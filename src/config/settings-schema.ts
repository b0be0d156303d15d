import * as z from 'zod/v4';
import {
  boolean,
  choice,
  fault,
  filePath,
  hostName,
  integer,
  jumpList,
  keyFile,
  text,
  userName,
} from './formats.ts';
import { governanceSettings } from './governance-settings.ts';
import { currentSurroundings, type HostEnvironment } from './host-environment.ts';
import { httpSettings } from './http-settings.ts';
import { about, type Setting } from './setting.ts';
import { directoryList } from './transfer-dirs.ts';

/**
 * Every setting there is. `.env.example`, the table in the README, `--help` and the flags are made
 * from this, so a setting is added here and nowhere else.
 */
export function configSchema(at: HostEnvironment) {
  return z.object({
    acceptRisks: consent().register(about, {
      name: 'I_ACCEPT_RISKS',
      flag: 'i-accept-risks',
      group: 'Consent',
      help: 'Must be true: you let an assistant act as root on your containers',
      example: 'true',
      default: 'false',
      defaultText: '',
    }),
    host: hostName().register(about, {
      name: 'HOST',
      flag: 'ssh-host',
      placeholder: 'address',
      group: 'Connection',
      help: 'Proxmox VE node: address, name, or alias of ~/.ssh/config',
      example: '192.0.2.10',
    }),
    sshPort: integer(1, 65535).optional().register(about, {
      name: 'SSH_PORT',
      flag: 'ssh-port',
      placeholder: 'port',
      group: 'Connection',
      help: 'Port of its SSH server',
      example: '2222',
      defaultText: '22',
    }),
    sshUsername: userName().optional().register(about, {
      name: 'SSH_USERNAME',
      flag: 'ssh-username',
      placeholder: 'name',
      group: 'Connection',
      help: 'User to log in as',
      example: 'admin',
      defaultText: 'root',
    }),
    sshPassword: text().optional().register(about, {
      name: 'SSH_PASSWORD',
      secret: true,
      group: 'Connection',
      help: 'Password; a key is the better choice',
      example: 'secret',
    }),
    sshKey: keyFile(at).optional().register(about, {
      name: 'SSH_KEY',
      flag: 'ssh-key',
      placeholder: 'file',
      group: 'Connection',
      help: 'Private key file',
      example: '~/.ssh/id_ed25519',
      defaultText: 'the agent, then the keys in ~/.ssh',
    }),
    sshKeyPassphrase: text().optional().register(about, {
      name: 'SSH_KEY_PASSPHRASE',
      secret: true,
      group: 'Connection',
      help: 'Passphrase of that key',
      example: 'secret',
    }),
    sshJump: jumpList().optional().register(about, {
      name: 'SSH_JUMP',
      flag: 'ssh-jump',
      placeholder: 'hops',
      group: 'Connection',
      help: 'Jump hosts on the way: [user@]host[:port],…',
      example: 'admin@bastion.example.com:2222',
    }),
    sshKnownHosts: filePath(at).optional().register(about, {
      name: 'SSH_KNOWN_HOSTS',
      flag: 'ssh-known-hosts',
      placeholder: 'file',
      group: 'Connection',
      help: 'File of host keys; takes new ones',
      example: '~/.ssh/known_hosts_proxmox',
      defaultText: 'known_hosts and an own file',
    }),
    sshHostKeyPolicy: choice(['strict', 'accept-new', 'insecure']).register(about, {
      name: 'SSH_HOST_KEY_POLICY',
      restricts: true,
      flag: 'ssh-host-key-policy',
      placeholder: 'policy',
      group: 'Connection',
      help: 'strict, accept-new (pins the first key) or insecure',
      example: 'strict',
      default: 'accept-new',
    }),
    sudo: boolean().register(about, {
      name: 'SUDO',
      flag: 'sudo',
      group: 'Commands',
      help: 'The user is not root: put `sudo -n` in front of what needs root',
      example: 'true',
      default: 'false',
    }),
    execMethod: choice(['auto', 'lxc-attach', 'pct']).register(about, {
      name: 'EXEC_METHOD',
      flag: 'exec-method',
      placeholder: 'method',
      group: 'Commands',
      help: 'Ignored: commands always enter containers by lxc-attach',
      example: 'pct',
      default: 'auto',
    }),
    enableHostExec: boolean().register(about, {
      name: 'ENABLE_HOST_EXEC',
      flag: 'enable-host-exec',
      group: 'Commands',
      help: 'Allow commands and transfers on the node itself',
      example: 'true',
      default: 'false',
    }),
    characterLimit: integer(100, 10_000_000).register(about, {
      name: 'CHARACTER_LIMIT',
      flag: 'character-limit',
      placeholder: 'n',
      group: 'Commands',
      help: 'Characters of output that one command may return',
      example: '50000',
      default: '25000',
    }),
    maxFileSize: integer(1, 2 ** 50).register(about, {
      name: 'MAX_FILE_SIZE',
      flag: 'max-file-size',
      placeholder: 'bytes',
      group: 'Files',
      help: 'Largest file that may be transferred, in bytes',
      example: '104857600',
      default: '10485760',
    }),
    transferDirs: directoryList(at).optional().register(about, {
      name: 'TRANSFER_DIRS',
      flag: 'transfer-dirs',
      placeholder: 'dirs',
      group: 'Files',
      help: 'Local directories for transfers, as in PATH',
      example: '~/proxmox-files',
      defaultText: 'working directory',
    }),
    readOnly: boolean().register(about, {
      name: 'READ_ONLY',
      restricts: true,
      flag: 'read-only',
      group: 'Server',
      help: 'Only tools that change nothing; no commands',
      example: 'true',
      default: 'false',
    }),
    logLevel: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).register(about, {
      name: 'LOG_LEVEL',
      flag: 'log-level',
      placeholder: 'level',
      group: 'Server',
      help: 'trace, debug, info, warn, error, fatal or silent; to stderr',
      example: 'debug',
      default: 'info',
    }),
    ...httpSettings(at),
    ...governanceSettings(at),
  });
}

/** The settings that this server runs with. */
export type Config = Readonly<z.output<ReturnType<typeof configSchema>>> & {
  /** The env file and the files of secrets that settings were read from, absolute. */
  readonly filesRead: readonly string[];
};

export type LogLevel = Config['logLevel'];

/** All settings, in the order in which they are documented. */
export function listSettings(schema = configSchema(currentSurroundings())): readonly Setting[] {
  return Object.entries(schema.shape).map(([property, format]) => {
    const info = about.get(format);
    if (info === undefined) throw new TypeError(`setting ${property} is not described`);
    return { ...info, property };
  });
}

function consent() {
  return boolean().transform((accepted, ctx) =>
    accepted
      ? accepted
      : fault(ctx, 'is not true', 'Set I_ACCEPT_RISKS=true if you accept what is said below.'),
  );
}
