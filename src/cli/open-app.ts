import { type App, createApp } from '../app.ts';
import type { LoadInput } from '../config/load.ts';
import type { Config } from '../config/settings-schema.ts';
import type { ConfigError } from '../config/sources.ts';
import type { InvalidPolicy } from '../governance/policy/policy-file.ts';
import { configErrorsText, wantsColor } from './output/config-errors.ts';
import { settingsFor } from './settings.ts';

/** The app of a command. Undefined if settings or policy are invalid: the errors are then printed and the exit code is set. */
export async function appFor(input: LoadInput): Promise<App | undefined> {
  const config = settingsFor(input);
  return config === undefined ? undefined : openApp(config);
}

/** The same for settings that are already valid. */
export async function openApp(config: Config): Promise<App | undefined> {
  const app = createApp(config);
  // A preset is always valid; loading it here would delay the start.
  if (config.policyFile === undefined) return app;
  try {
    await app.policy();
    return app;
  } catch (error) {
    const { InvalidPolicy } = await import('../governance/policy/policy-file.ts');
    if (!(error instanceof InvalidPolicy)) throw error;
    process.stderr.write(
      configErrorsText(toConfigErrors(config.policyFile, error), wantsColor(process.stderr)),
    );
    process.exitCode = 2;
    await app.close(0);
    return undefined;
  }
}

function toConfigErrors(file: string, { errors }: InvalidPolicy): readonly ConfigError[] {
  return errors.map(({ line, column, problem }, index) => ({
    name: 'POLICY_FILE',
    problem: `POLICY_FILE ${file}, line ${line}, column ${column}: ${problem}`,
    remedy:
      index === errors.length - 1
        ? `Correct the file, then run \`proxmox-mcp policy check ${file}\`. The format is described in docs/permissions.md.`
        : 'Correct the file.',
  }));
}
