import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LoadInput } from '../../../config/load.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { ConnectionInfo } from '../../../simulator/handles/node-handle.ts';
import { Simulator } from '../../../simulator/simulator.ts';
import type { Request } from '../../command.ts';
import { wantsColor } from '../../output/config-errors.ts';
import { ignoreEpipe, print, printError, styleFor, textWidth } from '../../output/output.ts';
import { show } from './demo-show.ts';

/** Runs the tour on a simulated node, or serves that node. `serve` is a parameter so that it is not bundled twice. */
export async function runDemo(
  { options, input }: Request,
  serve: (input: LoadInput) => Promise<void>,
): Promise<void> {
  const simulator = await startSimulator(options.scenario);
  if (!simulator) return;
  const { connection } = simulator.node();
  const settings = settingsFor(connection);
  // An empty configuration file, so that the user's own is not read.
  const emptyFile = path.join(path.dirname(connection.keyPath), 'empty.env');
  writeFileSync(emptyFile, '');
  if (options.serve === 'true') {
    // Variables that name another node must not apply: from config.env, a .env file or the client's configuration.
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
      style: styleFor(wantsColor(process.stdout)),
      // 80 columns at most, so that a recording fits a page.
      width: Math.min(textWidth(process.stdout), 80),
    });
  } catch (error) {
    await printError(`proxmox-mcp: the demo failed: ${messageOf(error)}\n`);
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
    const what =
      scenarioFile === undefined ? 'the demo cannot start' : `the scenario ${scenarioFile} cannot be used`;
    await printError(`proxmox-mcp: ${what}: ${messageOf(error)}\n`);
    process.exitCode = 1;
    return undefined;
  }
}

/** The settings for the simulated node. */
function settingsFor({ host, port, user, keyPath, knownHostsPath }: ConnectionInfo): Record<string, string> {
  return {
    I_ACCEPT_RISKS: 'true',
    PROXMOX_HOST: host,
    SSH_PORT: String(port),
    SSH_USERNAME: user,
    SSH_KEY: keyPath,
    SSH_KNOWN_HOSTS: knownHostsPath,
    SSH_HOST_KEY_POLICY: 'strict',
    // Deleted with the simulator: calls on a simulated node do not belong in the user's audit log.
    STATE_DIR: path.join(path.dirname(keyPath), 'state'),
  };
}
