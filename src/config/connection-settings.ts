import { hostNames, jumpList, namedAddresses } from './address-formats.ts';
import { choice, integer, text, userName } from './formats.ts';
import type { HostEnvironment } from './host-environment.ts';
import { filePath, keyFile } from './path-formats.ts';
import { settingsMetadata } from './setting.ts';

/** The settings of the SSH connection. */
export function connectionSettings(at: HostEnvironment) {
  return {
    host: hostNames().register(settingsMetadata, {
      name: 'PROXMOX_HOST',
      aliases: ['HOST'],
      flag: 'ssh-host',
      placeholder: 'address',
      group: 'Connection',
      tier: 'basic',
      help: 'Proxmox VE node: address, host name or ~/.ssh/config alias; several nodes of a cluster: A,B',
      example: '192.0.2.10',
    }),
    nodeAddresses: namedAddresses().optional().register(settingsMetadata, {
      name: 'NODE_ADDRESSES',
      flag: 'node-addresses',
      placeholder: 'list',
      group: 'Connection',
      help: 'SSH addresses of cluster nodes that are not reachable at their cluster addresses: NODE=address[:port],…',
      example: 'pve2=192.0.2.12,pve3=192.0.2.13:2222',
      defaultText: 'the cluster addresses',
    }),
    sshPort: integer(1, 65535).optional().register(settingsMetadata, {
      name: 'SSH_PORT',
      flag: 'ssh-port',
      placeholder: 'port',
      group: 'Connection',
      tier: 'basic',
      help: 'SSH port of the node',
      example: '2222',
      defaultText: '22',
    }),
    sshUsername: userName().optional().register(settingsMetadata, {
      name: 'SSH_USERNAME',
      flag: 'ssh-username',
      placeholder: 'name',
      group: 'Connection',
      tier: 'basic',
      help: 'SSH user',
      example: 'admin',
      defaultText: 'root',
    }),
    sshPassword: text().optional().register(settingsMetadata, {
      name: 'SSH_PASSWORD',
      secret: true,
      group: 'Connection',
      tier: 'basic',
      help: 'SSH password (a key is safer)',
      example: 'secret',
    }),
    sshKey: keyFile(at).optional().register(settingsMetadata, {
      name: 'SSH_KEY',
      flag: 'ssh-key',
      placeholder: 'file',
      group: 'Connection',
      tier: 'basic',
      help: 'Private key file',
      example: '~/.ssh/id_ed25519',
      defaultText: 'ssh-agent, then the keys in ~/.ssh',
    }),
    sshKeyPassphrase: text().optional().register(settingsMetadata, {
      name: 'SSH_KEY_PASSPHRASE',
      secret: true,
      group: 'Connection',
      tier: 'common',
      help: 'Passphrase for SSH_KEY',
      example: 'secret',
    }),
    sshJump: jumpList().optional().register(settingsMetadata, {
      name: 'SSH_JUMP',
      flag: 'ssh-jump',
      placeholder: 'hops',
      group: 'Connection',
      tier: 'common',
      help: 'Jump hosts, in order: [user@]host[:port],…',
      example: 'admin@bastion.example.com:2222',
    }),
    sshKnownHosts: filePath(at).optional().register(settingsMetadata, {
      name: 'SSH_KNOWN_HOSTS',
      flag: 'ssh-known-hosts',
      placeholder: 'file',
      group: 'Connection',
      help: 'known_hosts file; new host keys are added here',
      example: '~/.ssh/known_hosts_proxmox',
      defaultText: '~/.ssh/known_hosts, plus a file managed by proxmox-mcp',
    }),
    sshHostKeyPolicy: choice(['strict', 'accept-new', 'insecure']).register(settingsMetadata, {
      name: 'SSH_HOST_KEY_POLICY',
      restricts: true,
      flag: 'ssh-host-key-policy',
      placeholder: 'policy',
      group: 'Connection',
      tier: 'common',
      help: 'Unknown host keys: strict (refuse), accept-new (trust on first use) or insecure (never check)',
      example: 'strict',
      default: 'accept-new',
    }),
  };
}
