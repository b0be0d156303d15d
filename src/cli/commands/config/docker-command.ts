import { existsSync } from 'node:fs';
import path from 'node:path';
import { CONFIG_VARIABLE, configDir } from '../../../config/config-file.ts';
import type { HostEnvironment } from '../../../config/host-environment.ts';
import { loadConfig } from '../../../config/load.ts';
import { PACKAGE } from '../../../lib/package-info.ts';
import { shellWord } from '../../../lib/quote.ts';

/** Mount points in the container. */
const IN_CONTAINER = {
  config: '/run/secrets/config.env',
  knownHosts: '/run/secrets/known_hosts',
  key: '/run/secrets/ssh_key',
} as const;

/** The user that the image runs as, which owns its volumes. */
const IMAGE_UID = 1000;

/**
 * The `docker run` command that runs the image with a configuration file of this machine. The file, the pinned host keys and the
 * SSH key are mounted read-only; variables, which take precedence over the file, name their mount points.
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

/** The files that are mounted into the container, and their owner. */
export interface Mounted {
  readonly file: string;
  readonly knownHosts: string | undefined;
  readonly sshKey: string | undefined;
  readonly user: number;
  readonly home: string;
}

/** The command lines. If the user of the image does not own the files, directories of this machine replace the volumes. */
export function dockerLines({ file, knownHosts, sshKey, user, home }: Mounted): string {
  const mount = (source: string, target: string, variable: string) =>
    `-v ${shellWord(`${source}:${target}:ro`)} -e ${variable}=${target}`;
  const otherUser = user !== IMAGE_UID;
  const [state, files] = otherUser
    ? [path.join(home, '.local', 'state', 'proxmox-mcp-docker'), path.join(home, 'proxmox-mcp')]
    : ['proxmox-mcp-state', 'proxmox-mcp-files'];
  const lines = [
    'docker run -d --name proxmox-mcp -p 127.0.0.1:8000:8000',
    // As in docker-compose.yml.
    '--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges',
    ...(otherUser ? [`--user ${user}:$(id -g)`] : []),
    mount(file, IN_CONTAINER.config, CONFIG_VARIABLE),
    ...(knownHosts === undefined ? [] : [mount(knownHosts, IN_CONTAINER.knownHosts, 'SSH_KNOWN_HOSTS')]),
    ...(sshKey === undefined ? [] : [mount(sshKey, IN_CONTAINER.key, 'SSH_KEY')]),
    `-v ${shellWord(`${state}:/state`)} -v ${shellWord(`${files}:/files`)} ${PACKAGE.name}`,
  ];
  const createDirs = otherUser ? `mkdir -p ${shellWord(state)} ${shellWord(files)}\n` : '';
  return `${createDirs}${lines.join(' \\\n  ')}\n`;
}
