import { existsSync } from 'node:fs';
import path from 'node:path';
import { CONFIG_VARIABLE, configDir } from '../../../config/config-file.ts';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import { loadConfig } from '../../../config/load.ts';
import { PACKAGE } from '../../../lib/package-info.ts';
import { shellWord } from '../../../lib/quote.ts';

/** Where the files of this machine are seen in a container. */
const IN_CONTAINER = {
  config: '/run/secrets/config.env',
  knownHosts: '/run/secrets/known_hosts',
  key: '/run/secrets/ssh_key',
} as const;

/** The user that the image runs as; its volumes belong to it. */
const IMAGE_UID = 1000;

/**
 * The `docker run` command with which the image uses a configuration file of this machine: the file itself, the pinned host
 * keys and the SSH key are mounted read-only and named by variables, which win over the file.
 */
export function dockerCommand(file: string, at: HostEnvironment): string {
  const loaded = loadConfig({ envFile: file, fallbacks: { acceptRisks: 'true', host: 'unused' } }, at);
  const { sshKey, sshKnownHosts } = loaded.ok ? loaded.config : {};
  const knownHosts = [
    sshKnownHosts ?? path.join(configDir(at), 'known_hosts'),
    path.join(at.home, '.ssh', 'known_hosts'),
  ].find((each) => existsSync(each));
  return dockerLines({ file, knownHosts, sshKey, user: process.getuid?.() ?? IMAGE_UID, home: at.home });
}

/** The files of this machine that are mounted into a container, and their owner. */
export interface Mounted {
  readonly file: string;
  readonly knownHosts: string | undefined;
  readonly sshKey: string | undefined;
  readonly user: number;
  readonly home: string;
}

/** The command by the files that are mounted. An owner other than the user of the image needs folders in place of the volumes. */
export function dockerLines({ file, knownHosts, sshKey, user, home }: Mounted): string {
  const mount = (source: string, target: string, variable: string) =>
    `-v ${shellWord(`${source}:${target}:ro`)} -e ${variable}=${target}`;
  const own = user !== IMAGE_UID;
  const [state, files] = own
    ? [path.join(home, '.local', 'state', 'proxmox-mcp-docker'), path.join(home, 'proxmox-mcp')]
    : ['proxmox-mcp-state', 'proxmox-mcp-files'];
  const lines = [
    'docker run -d --name proxmox-mcp -p 127.0.0.1:8000:8000',
    ...(own ? [`--user ${user}:$(id -g)`] : []),
    mount(file, IN_CONTAINER.config, CONFIG_VARIABLE),
    ...(knownHosts === undefined ? [] : [mount(knownHosts, IN_CONTAINER.knownHosts, 'SSH_KNOWN_HOSTS')]),
    ...(sshKey === undefined ? [] : [mount(sshKey, IN_CONTAINER.key, 'SSH_KEY')]),
    `-v ${shellWord(`${state}:/state`)} -v ${shellWord(`${files}:/files`)} ${PACKAGE.name}`,
  ];
  const folders = own ? `mkdir -p ${shellWord(state)} ${shellWord(files)}\n` : '';
  return `${folders}${lines.join(' \\\n  ')}\n`;
}
