import fs from 'node:fs';
import { FILE_REMEDY, reason, statOf } from './formats.ts';
import { absolutePath, type HostEnvironment, pathsOf } from './host-environment.ts';
import { type Fault, fileSource, isSet, type Source } from './sources.ts';

/** The directory of this user's configuration: config.env, known_hosts and what `init` has written. */
export function configDir(at: HostEnvironment): string {
  const { join } = pathsOf(at);
  const base =
    at.platform === 'win32'
      ? at.env.APPDATA || join(at.home, 'AppData', 'Roaming')
      : at.env.XDG_CONFIG_HOME || join(at.home, '.config');
  return join(base, 'proxmox-mcp');
}

/** The configuration file that every command reads, from whatever folder it is started. */
export function defaultConfigFile(at: HostEnvironment): string {
  return pathsOf(at).join(configDir(at), 'config.env');
}

/** The variable that names the configuration file where options are out of reach: in containers and services. */
export const CONFIG_VARIABLE = 'PROXMOX_MCP_CONFIG';

export interface ConfigFileQuery {
  /** What `--config` or PROXMOX_MCP_CONFIG named. */
  readonly named: string | undefined;
  /** Where an option or the environment sets the node; undefined: nowhere. */
  readonly hostFrom: string | undefined;
}

interface Report {
  fault(fault: Fault): void;
  warn(message: string): void;
}

/**
 * The configuration file that applies: the one that was named, else config.env, else `.env` in the working directory. The last
 * one only while the node is set nowhere else: a client may start the server in a stranger's project, whose `.env` must not
 * change a server that is configured already.
 */
export function findConfigFile(
  { named, hostFrom }: ConfigFileQuery,
  at: HostEnvironment,
  report: Report,
): Source | undefined {
  if (isSet(named)) {
    const file = absolutePath(at, named.trim());
    return read(file, file, report.warn, (problem) =>
      report.fault({
        name: '--config',
        problem: `The configuration file (--config or ${CONFIG_VARIABLE}) cannot be read: ${problem}`,
        remedy: FILE_REMEDY,
      }),
    );
  }
  const own = defaultConfigFile(at);
  if (isThere(own)) {
    return read(own, own, report.warn, (problem) =>
      report.fault({
        name: 'config.env',
        problem: `The configuration file cannot be read: ${problem}`,
        remedy: FILE_REMEDY,
      }),
    );
  }
  const local = pathsOf(at).join(at.cwd, '.env');
  if (statOf(local)?.isFile() !== true) return undefined;
  const ignored = (problem: string): void =>
    report.warn(`the .env in the working directory is ignored: ${problem}`);
  const source = read(local, '.env', hostFrom === undefined ? report.warn : () => {}, ignored);
  if (hostFrom === undefined || source === undefined) return source;
  if (source.names.some((name) => name === 'PROXMOX_HOST' || name === 'HOST'))
    ignored(`${hostFrom} already sets the node`);
  return undefined;
}

/** Whether something has that name, readable or not. */
function isThere(file: string): boolean {
  return fs.existsSync(file);
}

function read(
  file: string,
  label: string,
  warn: (message: string) => void,
  failed: (problem: string) => void,
): Source | undefined {
  try {
    return fileSource(file, label, warn);
  } catch (error) {
    failed(reason(error, file));
    return undefined;
  }
}
