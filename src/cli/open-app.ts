import { type App, createApp } from '../app.ts';
import type { LoadInput } from '../config/load.ts';
import type { Config } from '../config/settings-schema.ts';
import type { Fault } from '../config/sources.ts';
import type { PolicyFaults } from '../governance/policy/policy-file.ts';
import { faultsText, wantsColour } from './output/config-errors.ts';
import { settingsFor } from './settings.ts';

/** The app of a command, or undefined: what is wrong with settings or policy has then been told and the exit code set. */
export async function appFor(input: LoadInput): Promise<App | undefined> {
  const config = settingsFor(input);
  return config === undefined ? undefined : openApp(config);
}

/** The same, with settings that are known to be right. */
export async function openApp(config: Config): Promise<App | undefined> {
  const app = createApp(config);
  // A preset can't be wrong, and the start is not held up for it.
  if (config.policyFile === undefined) return app;
  try {
    await app.policy();
    return app;
  } catch (error) {
    const { PolicyFaults } = await import('../governance/policy/policy-file.ts');
    if (!(error instanceof PolicyFaults)) throw error;
    process.stderr.write(faultsText(toFaults(config.policyFile, error), wantsColour(process.stderr)));
    process.exitCode = 2;
    await app.close(0);
    return undefined;
  }
}

function toFaults(file: string, { faults }: PolicyFaults): readonly Fault[] {
  return faults.map(({ line, column, problem }, index) => ({
    name: 'POLICY_FILE',
    problem: `POLICY_FILE ${file}, line ${line}, column ${column}: ${problem}`,
    remedy:
      index === faults.length - 1
        ? `Correct it; \`proxmox-mcp policy check ${file}\` tells when all is right. docs/permissions.md has the format.`
        : 'Correct it.',
  }));
}
