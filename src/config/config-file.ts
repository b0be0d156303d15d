import fs from 'node:fs';
import { absolutePath, type HostEnvironment, pathsOf } from './host-environment.ts';
import { FILE_REMEDY, reason, statOf } from './path-formats.ts';
import { type ConfigError, fileSource, isSet, type Source } from './sources.ts';

/** The configuration directory of the user: config.env, known_hosts and the journal of `init`. */
export function configDir(at: HostEnvironment): string {
  const { join } = pathsOf(at);
  const base =
    at.platform === 'win32'
      ? at.env.APPDATA || join(at.home, 'AppData', 'Roaming')
      : at.env.XDG_CONFIG_HOME || join(at.home, '.config');
  return join(base, 'proxmox-mcp');
}

/** The default configuration file, which every command reads, regardless of the working directory. */
export function defaultConfigFile(at: HostEnvironment): string {
  return pathsOf(at).join(configDir(at), 'config.env');
}

/** The variable that sets the configuration file where options cannot be used: in containers and services. */
export const CONFIG_VARIABLE = 'PROXMOX_MCP_CONFIG';

export interface ConfigFileQuery {
  /** The value of `--config` or PROXMOX_MCP_CONFIG. */
  readonly named: string | undefined;
  /** The option or variable that sets the node; undefined if none does. */
  readonly hostFrom: string | undefined;
}

interface Report {
  addError(error: ConfigError): void;
  warn(message: string): void;
}

/**
 * The configuration file that applies: the one in `named`, otherwise config.env, otherwise `.env` in the working directory. The
 * `.env` is used only if the node is not set elsewhere: a client may start the server in any project, and the `.env` of that
 * project must not change a configured server.
 */
export function findConfigFile(
  { named, hostFrom }: ConfigFileQuery,
  at: HostEnvironment,
  report: Report,
): Source | undefined {
  if (isSet(named)) {
    const file = absolutePath(at, named.trim());
    return read(file, file, report.warn, (problem) =>
      report.addError({
        name: '--config',
        problem: `The configuration file (--config or ${CONFIG_VARIABLE}) cannot be read: ${problem}`,
        remedy: FILE_REMEDY,
      }),
    );
  }
  const file = defaultConfigFile(at);
  if (fs.existsSync(file)) {
    return read(file, file, report.warn, (problem) =>
      report.addError({
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
