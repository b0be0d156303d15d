import { existsSync } from 'node:fs';
import { defaultConfigFile } from '../../../config/config-file.ts';
import { absolutePath, currentEnvironment, type HostEnvironment } from '../../../config/host-environment.ts';
import { loadConfig } from '../../../config/load.ts';
import { nearest } from '../../../lib/suggest.ts';
import type { Request } from '../../command.ts';
import { ignoreEpipe, print, printError } from '../../output/output.ts';
import { reportUsageError, UsageError } from '../../usage-error.ts';
import { CLIENT_IDS, entryFor } from '../init/clients.ts';
import { clientsHere, isInstalled } from '../init/installed-clients.ts';
import { ownLaunch } from '../init/launch.ts';
import { claudeCodeCommand, snippetFor } from '../init/snippet.ts';
import { dockerCommand } from './docker-command.ts';

/** `proxmox-mcp config [CLIENT]`: prints a client's configuration with the paths of this installation. Writes nothing. */
export async function config({ input, args, options }: Request): Promise<void> {
  ignoreEpipe();
  const at = currentEnvironment();
  const [wanted] = args;
  const file = configFileOf(input.envFile, at);
  if (wanted === undefined) return print(overview(at, file, options.json === 'true'));
  if (wanted === 'docker') return print(dockerCommand(file, at));
  const app = clientsHere(at).find(({ id }) => id === wanted);
  if (app === undefined) {
    const known = [...CLIENT_IDS, 'docker'];
    const meant = nearest(wanted, known);
    const hint = meant === undefined ? `Clients: ${known.join(', ')}` : `(Did you mean ${meant}?)`;
    const error = new UsageError(`there is no client '${wanted.slice(0, 60)}'\n${hint}`);
    return reportUsageError(error, 'config');
  }
  const launch = ownLaunch(at);
  if (options.json === 'true')
    return print(`${JSON.stringify({ file: app.file, ...entryFor(app, launch, file) }, null, 2)}\n`);
  const { text } = snippetFor(app, launch, file);
  await print(text);
  // On stderr, so that stdout can be redirected to a file.
  if (!process.stdout.isTTY) return;
  const command = app.id === 'claude-code' ? `\nOr run:\n${claudeCodeCommand(launch, file)}\n` : '';
  await printError(`\nAdd this to ${app.file}\n${command}${missing(file)}`);
}

/** The configuration file in the snippets: the one that is in use, otherwise the one that `init` writes. */
function configFileOf(named: string | undefined, at: HostEnvironment): string {
  if (named !== undefined) return absolutePath(at, named);
  return loadConfig({}, at).file ?? defaultConfigFile(at);
}

function missing(file: string): string {
  return existsSync(file) ? '' : `\n${file} does not exist yet. Create it with \`proxmox-mcp init\`.\n`;
}

function overview(at: HostEnvironment, file: string, json: boolean): string {
  const apps = clientsHere(at).map((app) => ({
    id: app.id,
    title: app.title,
    file: app.file,
    installed: isInstalled(app),
    asks: app.asks,
  }));
  const exists = existsSync(file);
  if (json) return `${JSON.stringify({ configFile: file, exists, clients: apps }, null, 2)}\n`;
  const width = Math.max(...CLIENT_IDS.map((id) => id.length));
  const lines = apps.map(
    ({ id, file: path, installed }) => `${installed ? '✓' : ' '} ${id.padEnd(width)}  ${path}`,
  );
  const state = exists ? '' : '\nIt does not exist yet. Create it with `proxmox-mcp init`.';
  return `Configuration file: ${file}${state}\n\nClients (✓ = installed on this machine):\n${lines.join('\n')}\n\nTo print the configuration of a client: proxmox-mcp config CLIENT\n`;
}
