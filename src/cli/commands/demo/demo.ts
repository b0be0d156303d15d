import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LoadInput } from '../../../config/load.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { ConnectionInfo } from '../../../simulator/handles/node-handle.ts';
import { Simulator } from '../../../simulator/simulator.ts';
import type { Request } from '../../commands.ts';
import { wantsColour } from '../../output/config-errors.ts';
import { ignoreEpipe, print, printError, styleFor, textWidth } from '../../output/output.ts';
import { show } from './demo-show.ts';

/** Shows the main job on a simulated node, or serves that node. `serve` is handed in so that it is not bundled twice. */
export async function runDemo(
  { options, input }: Request,
  serve: (input: LoadInput) => Promise<void>,
): Promise<void> {
  const simulator = await startSimulator(options.scenario);
  if (!simulator) return;
  const { connection } = simulator.node();
  const settings = settingsFor(connection);
  // Named as the configuration file, so that the one of this user is not read.
  const emptyFile = path.join(path.dirname(connection.keyPath), 'empty.env');
  writeFileSync(emptyFile, '');
  if (options.serve === 'true') {
    // Neither config.env, a .env nearby nor what the client's configuration says of another node may get in between.
    for (const name of Object.keys(process.env))
      if (/^(PROXMOX_HOST|HOST|SUDO|EXEC_METHOD|SSH_.*|AUDIT.*)$/.test(name)) delete process.env[name];
    Object.assign(process.env, settings);
    return serve({ ...input, envFile: emptyFile });
  }
  ignoreEpipe();
  try {
    const stage = {
      port: simulator.node().connection.port,
      count: (text: string) => simulator.container(101).processes(text).length,
    };
    await show(stage, settings, emptyFile, {
      print,
      style: styleFor(wantsColour(process.stdout)),
      // As wide as a terminal that nobody has made larger, so that a recording fits a page.
      width: Math.min(textWidth(process.stdout), 80),
    });
  } catch (error) {
    await printError(`proxmox-mcp: the demo came to an early end: ${messageOf(error)}\n`);
    process.exitCode = 1;
  } finally {
    await simulator.stop();
  }
}

async function startSimulator(scenarioFile: string | undefined): Promise<Simulator | undefined> {
  try {
    return await Simulator.start(
      scenarioFile === undefined ? {} : { scenario: readFileSync(scenarioFile, 'utf8') },
    );
  } catch (error) {
    await printError(`proxmox-mcp: ${messageOf(error)}\n`);
    process.exitCode = 1;
    return undefined;
  }
}

/** What an admin would write into .env for this node. */
function settingsFor({ host, port, user, keyPath, knownHostsPath }: ConnectionInfo): Record<string, string> {
  return {
    I_ACCEPT_RISKS: 'true',
    PROXMOX_HOST: host,
    SSH_PORT: String(port),
    SSH_USERNAME: user,
    SSH_KEY: keyPath,
    SSH_KNOWN_HOSTS: knownHostsPath,
    SSH_HOST_KEY_POLICY: 'strict',
    // Gone with the simulator: what was done to a node that is none belongs on nobody's record.
    STATE_DIR: path.join(path.dirname(keyPath), 'state'),
  };
}
