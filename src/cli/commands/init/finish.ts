import type { HostEnvironment } from '../../../config/host-environment.ts';
import { type ClientApp, entryFor } from './clients.ts';
import type { Launch } from './launch.ts';
import { type SelfTest, selfTest } from './self-test.ts';

/** What the end of `init` needs to know. */
export interface Finished {
  readonly apps: readonly ClientApp[];
  readonly configFile: string;
  readonly launch: Launch;
  readonly exec: number | undefined;
}

/** Starts the server once through the entry that was written: the same for every client. */
export function testEntry(
  { apps, configFile, launch, exec }: Finished,
  at: HostEnvironment,
  signal: AbortSignal,
): Promise<SelfTest> {
  const entry = entryFor({ typed: apps[0]?.typed ?? false }, launch, configFile);
  return selfTest(entry, at, { exec, signal });
}

/** What to do next, sentence by sentence. */
export function nextSteps(apps: readonly ClientApp[]): readonly string[] {
  if (apps.length === 0) {
    return [
      "No client was set up. `proxmox-mcp config CLIENT` prints what goes into a client's configuration.",
      'From this terminal: proxmox-mcp list',
    ];
  }
  const titles = apps.map(({ title }) => title).join(', ');
  return [
    `Restart ${titles}. Then paste this into the assistant:`,
    '  Which containers are running on my Proxmox node?',
  ];
}

/** What it means that clients cannot show questions, if some are chosen that cannot. */
export function silentClientsNote(silent: readonly string[]): string | undefined {
  if (silent.length === 0) return undefined;
  const verb = silent.length === 1 ? 'does' : 'do';
  return `${silent.join(', ')} ${verb} not show questions of a server. So calls that need confirmation wait, from every client, until you approve them in a terminal with \`proxmox-mcp approvals\` (APPROVALS=terminal). That takes an approval passphrase.`;
}

/** What to say when the written entry does not work. */
export function selfTestFailed(problem: string): string {
  return `The set-up is written, but the self-test through the written entry failed:\n${problem}\nRun \`proxmox-mcp doctor\` to find the cause, or \`proxmox-mcp init --undo\` to remove the set-up.`;
}
