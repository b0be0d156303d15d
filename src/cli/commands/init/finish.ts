import type { HostEnvironment } from '../../../config/host-environment.ts';
import { type ClientApp, entryFor } from './clients.ts';
import type { Launch } from './launch.ts';
import { type SelfTest, selfTest } from './self-test.ts';

/** The parameters of the self-test. */
export interface Finished {
  readonly apps: readonly ClientApp[];
  readonly configFile: string;
  readonly launch: Launch;
  readonly exec: number | undefined;
}

/** Starts the server once with the entry that was written, which is the same for every client. */
export function testEntry(
  { apps, configFile, launch, exec }: Finished,
  at: HostEnvironment,
  signal: AbortSignal,
): Promise<SelfTest> {
  const entry = entryFor({ typed: apps[0]?.typed ?? false, cutsCalls: false }, launch, configFile);
  return selfTest(entry, at, { exec, signal });
}

/** The next steps, one line each. */
export function nextSteps(apps: readonly ClientApp[]): readonly string[] {
  if (apps.length === 0) {
    return [
      'No client was set up. To print the configuration for a client: proxmox-mcp config CLIENT',
      'To list the containers in this terminal: proxmox-mcp list',
    ];
  }
  const titles = new Intl.ListFormat('en').format(apps.map(({ title }) => title));
  return [
    `Restart ${titles}. Then paste this into the assistant:`,
    '  Which containers are running on my Proxmox node?',
  ];
}

/** A note on the chosen clients that cannot ask for confirmation; undefined if all can. */
export function silentClientsNote(silent: readonly string[]): string | undefined {
  if (silent.length === 0) return undefined;
  const verb = silent.length === 1 ? 'does' : 'do';
  return `${silent.join(', ')} ${verb} not support confirmation prompts. Calls from any client that need confirmation therefore wait until you approve them in a terminal with \`proxmox-mcp approvals\` (APPROVALS=terminal). This needs an approval passphrase: \`proxmox-mcp approvals passphrase\`.`;
}

export const SELF_TEST_CANCELLED =
  'The configuration was written, but the self-test was cancelled. Run `proxmox-mcp doctor` to test it, or `proxmox-mcp init --undo` to remove what was written.';

/** The message when the self-test fails. */
export function selfTestFailed(problem: string): string {
  return `The configuration was written, but the self-test failed:\n${problem}\nRun \`proxmox-mcp doctor\` to find the cause, or \`proxmox-mcp init --undo\` to remove what was written.`;
}
